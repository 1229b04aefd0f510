"""Settings: the environment variables of each function and command, checked before it works."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidegate.errors import SettingsError

Name = Annotated[str, Field(min_length=1)]
PREFIX = "TIDEGATE_"
# Lambda sets this variable to the function's memory in megabytes:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_LAMBDA_MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"


class Settings(BaseModel):
    """Base of all settings: a field is read from TIDEGATE_<FIELD>, or from its alias."""

    model_config = ConfigDict(frozen=True)


class RegisterFilesSettings(Settings):
    """Settings of register_files."""

    ledger_table: Name
    contracts: Path
    state_machine_arn: Name


class PlanBatchSettings(Settings):
    """Settings of plan_batch; `memory_size` is in megabytes."""

    ledger_table: Name
    contracts: Path
    landing_bucket: Name
    work_bucket: Name
    copy_role: Name
    lease_seconds: Annotated[int, Field(ge=60)]
    memory_size: Annotated[int, Field(ge=128, alias=_LAMBDA_MEMORY)]


class PrepareChunkSettings(Settings):
    """Settings of prepare_chunk; `memory_size` is in megabytes."""

    landing_bucket: Name
    work_bucket: Name
    memory_size: Annotated[int, Field(ge=128, alias=_LAMBDA_MEMORY)]


class CommitBatchSettings(Settings):
    """Settings of commit_batch."""

    ledger_table: Name
    work_bucket: Name


class FailBatchSettings(Settings):
    """Settings of fail_batch."""

    ledger_table: Name
    work_bucket: Name
    alerts_topic_arn: Name
    max_attempts: Annotated[int, Field(ge=1)]
    retry_seconds: Annotated[int, Field(ge=1)]


class SweepTablesSettings(Settings):
    """Settings of sweep_tables."""

    ledger_table: Name
    contracts: Path
    landing_bucket: Name
    state_machine_arn: Name


class CommandLineSettings(Settings):
    """Settings of the commands that look at a deployed Tidegate."""

    ledger_table: Name
    landing_queue_url: Name | None = None


class QuarantineSettings(Settings):
    """Settings of the command that lists the quarantine."""

    ledger_table: Name
    work_bucket: Name


class RunSettings(Settings):
    """Settings of the commands that start runs."""

    ledger_table: Name
    state_machine_arn: Name


Model = TypeVar("Model", bound=Settings)


def read_settings(model: type[Model], environment: Mapping[str, str]) -> Model:
    """Read the settings of `model` from `environment`.

    Raises:
        SettingsError: a variable is missing or wrong. The message names it.
    """
    names = [field.alias or name for name, field in model.model_fields.items()]
    given = {name: environment.get(variable(name)) for name in names}
    try:
        return model.model_validate({name: text for name, text in given.items() if text})
    except ValidationError as error:
        wrong = "; ".join(f"{variable(str(e['loc'][0]))}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"environment variables are missing or wrong ({wrong})") from error


def variable(name: str) -> str:
    """Return the environment variable of a field, given the field's name or alias."""
    return name if name == _LAMBDA_MEMORY else PREFIX + name.upper()
