"""What the job makes of what Redshift says, and what of it reaches a log."""

import socket
import ssl

import pytest
import redshift_connector
from botocore.exceptions import ClientError

from glue_jobs import load_batch

SECRET = "SECRET-ALICE"
VALUE_ERROR = {
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


@pytest.mark.parametrize("told", [VALUE_ERROR, {"C": "22P02", "M": f"invalid input: {SECRET}"}])
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
            raise redshift_connector.ProgrammingError(VALUE_ERROR)
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

    def __init__(self, text: str = "{}") -> None:
        self.text = text

    def get_secret_value(self, **_: str) -> dict[str, str]:
        return {"SecretString": self.text}


def test_column_that_does_not_fit_is_told_as_types_are_declared():
    wanted = {"table": ["s", "t"], "name": "x", "data_type": "numeric"}
    wanted |= {"character_maximum_length": None, "numeric_precision": 9, "numeric_scale": 2}
    with pytest.raises(
        load_batch.ContractError, match=r"is character varying\(3\), but its contract "
    ):
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


UNKNOWN_USER = {"C": "28000", "M": 'password authentication failed for user "tidegate"'}
NO_DATABASE = {"C": "3D000", "M": 'database "dev" does not exist'}
BAD_CERTIFICATE = ssl.SSLCertVerificationError(1, "certificate verify failed")
BAD_CERTIFICATE.verify_message = "self-signed certificate"  # as OpenSSL sets it
NO_SUCH_HOST = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
DNS_IS_AWAY = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


NO_ROUTE = redshift_connector.InterfaceError("communication error", NO_SUCH_HOST)
NO_TRUST = redshift_connector.InterfaceError("communication error", BAD_CERTIFICATE)


@pytest.mark.parametrize(
    ("error", "what_to_do"),
    [
        (redshift_connector.InterfaceError(UNKNOWN_USER), "create the database user in"),
        (redshift_connector.ProgrammingError(NO_DATABASE), "create the database in"),
        (NO_ROUTE, "network can resolve it"),
        (redshift_connector.InterfaceError("Server refuses SSL"), "which speaks TLS"),
    ],
)
def test_login_that_fails_is_a_matter_of_the_deployment_and_says_what_to_do(error, what_to_do):
    with pytest.raises(load_batch.DeploymentError) as raised:
        load_batch.raise_from_warehouse(error)
    assert what_to_do in str(raised.value)
    assert str(raised.value).endswith("Tidegate tries again by itself")


def test_certificate_that_is_refused_is_a_matter_of_the_deployment():
    with (
        pytest.raises(load_batch.DeploymentError, match="certificate of the-host is refused"),
        load_batch.translated_certificate_errors("the-host"),
    ):
        raise NO_TRUST


@pytest.mark.parametrize(
    "error",
    [
        redshift_connector.InterfaceError("communication error", DNS_IS_AWAY),
        redshift_connector.InterfaceError("communication error", ConnectionRefusedError(111, "no")),
        redshift_connector.OperationalError("connection time out", TimeoutError()),
        redshift_connector.ProgrammingError({"C": "57P01", "M": "terminating connection"}),
    ],
)
def test_redshift_that_is_away_is_waited_for(error):
    with pytest.raises(load_batch.WarehouseBusyError):
        load_batch.raise_from_warehouse(error)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetSecretValue")


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_secret_that_cannot_be_read_is_a_matter_of_the_deployment(code):
    with (
        pytest.raises(load_batch.DeploymentError, match=code),
        load_batch.translated_errors(),
    ):
        raise refused(code)


def test_service_that_is_busy_is_waited_for():
    with pytest.raises(load_batch.ServiceBusyError), load_batch.translated_errors():
        raise refused("ThrottlingException")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not json", "the secret arn is not a JSON object; Tidegate tries again by itself"),
        ('["list"]', "the secret arn is not a JSON object; Tidegate tries again by itself"),
        (f'{{"host": "h", "port": 1, "dbname": "d", "username": "{SECRET}"}}', "lacks password"),
    ],
)
def test_secret_that_lacks_something_is_told_without_what_it_says(text, told):
    with pytest.raises(load_batch.DeploymentError, match=told) as raised:
        load_batch.read_secret(Secrets(text), "arn")
    assert SECRET not in str(raised.value)


def test_job_reports_what_kept_it_from_the_secret():
    objects = Objects({"s3://w/plan": {"load": {"outcome": "s3://w/outcome"}}})

    def read_connection() -> dict[str, object]:
        raise refused("AccessDeniedException")

    with pytest.raises(load_batch.DeploymentError):
        load_batch.run_plan("s3://w/plan", read_connection, objects)
    assert objects.written["s3://w/outcome"]["error"] == "DeploymentError"


class Objects:
    """As much of S3 as the job asks."""

    def __init__(self, written: dict[str, dict]) -> None:
        self.written = written

    def read(self, url: str) -> dict:
        return self.written[url]

    def write(self, url: str, document: dict) -> None:
        self.written[url] = document
