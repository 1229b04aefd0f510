"""What the environment must say, and how its mistakes are named."""

import pytest

from tidegate.errors import SettingsError
from tidegate.settings import (
    PlanBatchSettings,
    PrepareChunkSettings,
    Settings,
    read_settings,
    variable,
)

PLAN_BATCH = {
    "TIDEGATE_LEDGER_TABLE": "ledger",
    "TIDEGATE_CONTRACTS": "/opt",
    "TIDEGATE_LANDING_BUCKET": "landing",
    "TIDEGATE_WORK_BUCKET": "work",
    "TIDEGATE_COPY_ROLE": "default",
    "TIDEGATE_LEASE_SECONDS": "7200",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
}


def test_settings_are_read_from_variables_of_their_names():
    settings = read_settings(PlanBatchSettings, PLAN_BATCH | {"OTHER": "x"})
    assert (settings.ledger_table, settings.lease_seconds) == ("ledger", 7200)


def test_memory_is_what_lambda_says():
    given = {
        "TIDEGATE_LANDING_BUCKET": "landing",
        "TIDEGATE_WORK_BUCKET": "work",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
    }
    assert read_settings(PrepareChunkSettings, given).memory_size == 3008


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"TIDEGATE_LEDGER_TABLE": None}, r"\(TIDEGATE_LEDGER_TABLE: Field required\)"),
        ({"TIDEGATE_LEDGER_TABLE": ""}, r"\(TIDEGATE_LEDGER_TABLE: Field required\)"),
        ({"TIDEGATE_LEASE_SECONDS": "two"}, "TIDEGATE_LEASE_SECONDS: Input should be a valid int"),
        (
            {"TIDEGATE_LEASE_SECONDS": "59"},
            "TIDEGATE_LEASE_SECONDS: .* greater than or equal to 60",
        ),
        (
            {"TIDEGATE_WORK_BUCKET": None, "TIDEGATE_COPY_ROLE": None},
            "TIDEGATE_WORK_BUCKET: Field required; TIDEGATE_COPY_ROLE: Field required",
        ),
    ],
)
def test_missing_and_wrong_variables_are_named(changed, said):
    environment = {name: text for name, text in (PLAN_BATCH | changed).items() if text is not None}
    with pytest.raises(SettingsError, match=said):
        read_settings(PlanBatchSettings, environment)


def test_memory_that_is_missing_is_named_as_lambda_names_it():
    with pytest.raises(SettingsError, match="AWS_LAMBDA_FUNCTION_MEMORY_SIZE: Field required"):
        read_settings(PrepareChunkSettings, {})


@pytest.mark.parametrize("model", Settings.__subclasses__())
def test_every_setting_has_a_variable(model):
    names = [variable(field.alias or name) for name, field in model.model_fields.items()]
    assert all(name.startswith(("TIDEGATE_", "AWS_LAMBDA_")) for name in names)
