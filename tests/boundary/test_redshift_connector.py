"""What Tidegate assumes of redshift_connector, tried with each driver there is.

Glue's own driver is of 2022; it is tried under Python 3.9 where `make setup` found one.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.local.warehouse import Warehouse

ROOT = Path(__file__).parents[2]
PROBE = Path(__file__).with_name("driver_probe.py")
DRIVERS = {"current": Path(sys.executable), "glue": ROOT / ".venv-glue" / "bin" / "python"}
PASSWORD = "a-password"


@pytest.fixture(scope="module", params=list(DRIVERS))
def seen(request, certificates):
    python = DRIVERS[request.param]
    if not python.exists():
        pytest.skip(f"no Python 3.9 with Glue's driver at {python.relative_to(ROOT)}")
    warehouse = Warehouse(
        port=0,
        database="dev",
        user="tidegate",
        password=PASSWORD,
        s3=None,
        certificates=certificates,
    )
    warehouse.start()
    try:
        # As a shell has it after `eval "$(tidegate local env)"`.
        environment = {**os.environ, **certificates.environment()}
        environment.pop("SSL_CERT_FILE", None)
        command = [python, PROBE, warehouse.host, str(warehouse.port), PASSWORD]
        ran = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        warehouse.stop()
    assert ran.returncode == 0, ran.stderr
    return {"driver": request.param, **json.loads(ran.stdout)}


def test_the_versions_are_those_tidegate_was_written_for(seen):
    expected = {"current": "2.2.", "glue": "2.0.907"}
    assert seen["version"].startswith(expected[seen["driver"]])
    assert seen["paramstyle"] == "format"


def test_a_transaction_begins_with_the_first_execute_and_an_idle_rollback_sends_nothing(seen):
    assert seen["transactions"] == [
        "begin transaction",
        "select 1",
        "select 2",
        "commit",
        "select 3",
    ]


def test_leaving_a_with_block_closes_and_does_not_commit(seen):
    assert seen["with"]["told"]["C"] == "42P01"


def test_server_errors_are_dictionaries_by_field(seen):
    assert seen["syntax"]["class"] == "ProgrammingError"
    assert seen["syntax"]["told"] == {
        "S": "ERROR",
        "C": "42601",
        "M": 'syntax error at or near "selec"',
    }


def test_a_conflict_is_a_programming_error_with_1023_as_its_message(seen):
    told = seen["conflict"]["told"]
    assert seen["conflict"]["class"] == "ProgrammingError"
    assert (told["C"], told["M"]) == ("XX000", "1023")
    assert "Serializable isolation violation on table" in told["D"]


def test_a_wrong_password_is_an_interface_error(seen):
    assert seen["password"]["class"] == "InterfaceError"
    assert seen["password"]["told"]["C"] == "28000"


def test_merge_leaves_the_row_count_at_minus_one(seen):
    assert seen["counts"] == {"insert": 2, "merge": -1, "update": 2, "delete": 1}


def test_one_statement_an_execute(seen):
    message = "cannot insert multiple commands into a prepared statement"
    assert seen["several"]["told"]["M"] == message


def test_a_percent_sign_is_looked_at_outside_of_quotes_only(seen):
    percent = seen["percent"]
    assert percent["literal without values"] == "a%b"
    assert percent["literal with values"] == "a%bc"
    assert percent["doubled in a literal with values"] == "a%%bc"
    assert percent["doubled and bare with values"] == 3
    assert percent["bare with values"]["class"] == "InterfaceError"


def test_without_values_the_old_driver_looks_for_percent_signs_all_the_same(seen):
    refused = {"current": None, "glue": "InterfaceError"}[seen["driver"]]
    found = seen["percent"]["bare without values"]
    assert (found and found["class"]) == refused


def test_values_come_as_the_same_python_types(seen):
    assert seen["values"] == [
        "1", "2", "1.50", "True", "x", "2024-02-29", '{"a":1}', "00ff", "None",
    ]  # fmt: skip


def test_decimals_of_more_than_28_digits_are_rounded_by_the_driver(seen):
    assert seen["long decimal is exact"] is False


def test_column_names_are_bytes_in_the_old_driver(seen):
    assert seen["column name"] == {"current": "str", "glue": "bytes"}[seen["driver"]]


def test_the_socket_can_be_reached_to_keep_it_alive(seen):
    assert seen["is a socket"] is True


def test_tls_is_what_the_driver_does_by_itself_with_the_authorities_of_openssl(seen):
    assert seen["tls"]["by itself"] == "TLSv1.3"


def test_verify_full_takes_the_name_that_the_certificate_has(seen):
    assert seen["tls"]["verify-full"] == "TLSv1.3"
    refused = seen["tls"]["another name"]
    assert refused["class"] == "InterfaceError"
    assert refused["cause"] == "Hostname mismatch, certificate is not valid for '127.1'."


def test_a_certificate_that_nobody_vouches_for_is_refused(seen):
    refused = seen["tls"]["unknown authority"]
    assert refused["class"] == "InterfaceError"
    assert refused["cause"].startswith("unable to get local issuer certificate")
