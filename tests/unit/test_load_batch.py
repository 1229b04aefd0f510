"""What the job makes of what Redshift says, and what of it reaches a log."""

import socket

import pytest
import redshift_connector

from glue_jobs import load_batch

SECRET = "SECRET-ALICE"
OF_A_VALUE = {
    "S": "ERROR",
    "C": "XX000",
    "M": f"Invalid digit, Value 'S', Pos 0, Type: Integer ({SECRET})",
    "D": f"\n  error:  Invalid digit, {SECRET}\n  code:      1207\n  context:   {SECRET}\n",
}
OF_S3 = {
    "S": "ERROR",
    "C": "XX000",
    "M": "S3ServiceException:Access Denied,Status 403",
    "D": "\n  error:  S3ServiceException:Access Denied,Status 403\n  code:      8001\n",
}


@pytest.mark.parametrize("told", [OF_A_VALUE, {"C": "22P02", "M": f"invalid input: {SECRET}"}])
def test_value_that_does_not_fit_is_not_repeated_and_not_tried_again(told):
    error = redshift_connector.ProgrammingError(told)
    said = f"a value does not fit its column (SQLSTATE {told['C']})"
    assert (load_batch.text_of(error), load_batch.is_lasting(error)) == (said, True)


def test_what_s3_refuses_redshift_is_told_and_tried_again():
    error = redshift_connector.ProgrammingError(OF_S3)
    assert "Access Denied" in load_batch.text_of(error)
    assert not load_batch.is_lasting(error)


def test_job_that_fails_says_why_in_one_line_and_no_more(monkeypatch, capsys):
    def fail(*_: object) -> None:
        try:
            raise redshift_connector.ProgrammingError(OF_A_VALUE)
        except redshift_connector.Error as error:
            load_batch.raise_from_warehouse(error)

    monkeypatch.setattr(load_batch, "run_plan", fail)
    monkeypatch.setattr(load_batch.boto3, "client", lambda _: Secrets())
    with pytest.raises(SystemExit) as ended:
        load_batch.main(["--plan=s3://a/b", "--secret-arn=c"])
    assert ended.value.code == (
        "LoadFailedError: Redshift refused: a value does not fit its column (SQLSTATE XX000)"
    )
    assert SECRET not in "".join(capsys.readouterr())


class Secrets:
    """As much of Secrets Manager as the job asks."""

    def get_secret_value(self, **_: str) -> dict[str, str]:
        return {"SecretString": "{}"}


def test_column_that_does_not_fit_is_told_as_types_are_declared():
    wanted = {"table": ["s", "t"], "name": "x", "data_type": "numeric"}
    wanted |= {"character_maximum_length": None, "numeric_precision": 9, "numeric_scale": 2}
    with pytest.raises(load_batch.ContractError, match=r"is character varying\(3\), its contract "):
        load_batch.refuse_misfit(wanted, ["character varying", 3, None, None])
    with pytest.raises(load_batch.ContractError, match=r"is integer, .* needs numeric\(9,2\)"):
        load_batch.refuse_misfit(wanted, ["integer", None, 32, 0])


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="Linux names it so, as Glue does")
def test_session_that_is_silent_is_heard_of_before_gateways_forget_it():
    with socket.socket() as session:
        load_batch.keep_alive(session)
        names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
        found = [session.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names]
    assert found == [60, 30, 10]
    assert found[0] + found[1] < 350
