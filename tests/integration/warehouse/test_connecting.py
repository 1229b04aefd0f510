"""How the job connects: encrypted, and with nobody but the warehouse that its secret names."""

import os

import pytest

from glue_jobs import load_batch
from tests.integration.warehouse.conftest import DATABASE, PASSWORD, USER
from tidegate.local.warehouse.protocol.certificates import make_certificates


@pytest.fixture
def secret(warehouse):
    return {
        "host": warehouse.host,
        "port": warehouse.port,
        "dbname": DATABASE,
        "username": USER,
        "password": PASSWORD,
    }


@pytest.mark.parametrize("old", [{}, {"ssl": True}, {"ssl": False}, {"ssl": "false"}])
def test_no_secret_switches_tls_off(secret, old):
    session = load_batch.connect({**secret, **old}, "sales.orders")
    assert session._usock.version() == "TLSv1.3"
    session.close()


def test_a_warehouse_of_another_name_is_refused_with_what_to_do(secret):
    with pytest.raises(load_batch.DeploymentError) as raised:
        load_batch.connect({**secret, "host": "127.1"}, "sales.orders")
    assert str(raised.value).startswith(
        "the certificate of 127.1 is refused: Hostname mismatch, certificate is not valid for "
        "'127.1'; put the endpoint that Redshift shows, or its custom domain name, into the "
        "connection secret as host; Tidegate tries again by itself"
    )


def test_a_warehouse_that_nobody_vouches_for_is_refused(secret, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    with pytest.raises(load_batch.DeploymentError, match="unable to get local issuer"):
        load_batch.connect(secret, "sales.orders")


def test_other_errors_are_told_as_they_are(secret, warehouse):
    warehouse.stop()
    with pytest.raises(load_batch.redshift_connector.InterfaceError, match="communication error"):
        load_batch.connect(secret, "sales.orders")


def test_shell_that_trusts_two_local_stacks_reaches_both(
    secret, monkeypatch, certificates, tmp_path
):
    other = make_certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(other.authority))
    monkeypatch.setenv("SSL_CERT_DIR", str(certificates.folder))
    session = load_batch.connect(secret, "sales.orders")
    assert session._usock.version() == "TLSv1.3"
    session.close()
