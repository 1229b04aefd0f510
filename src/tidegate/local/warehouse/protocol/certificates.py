"""Makes the warehouse's TLS certificate and the authority that signs it."""

import hashlib
import os
import secrets
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = ("localhost", "127.0.0.1")
# In lower case: see _hash.
AUTHORITY = "tidegate local warehouse"
LASTS = timedelta(days=3650)

PublicKey = ec.EllipticCurvePublicKey


@dataclass(frozen=True)
class Certificates:
    """The certificate files of one warehouse; `server` also holds its private key."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The path of the authority's certificate."""
        return self.folder / "authority.pem"

    @property
    def server(self) -> Path:
        """The path of the warehouse's certificate and private key."""
        return self.folder / "server.pem"

    def context(self) -> ssl.SSLContext:
        """Returns the server's TLS context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        return context

    def environment(self) -> dict[str, str]:
        """Returns variables that make psql, psycopg and redshift_connector trust the warehouse.

        redshift_connector has no option for it. It loads OpenSSL's defaults and its own bundle:
        https://github.com/aws/amazon-redshift-python-driver/blob/v2.0.907/redshift_connector/core.py
        """
        return {
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(self.authority),
            "SSL_CERT_DIR": f"{self.folder}{os.pathsep}{_trusted_already()}",
        }


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and the warehouse's certificate; throw the authority's key away."""
    made = Certificates(folder)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    # Of two authorities with one name, OpenSSL asks only the first:
    # https://docs.openssl.org/3.0/man3/X509_LOOKUP_hash_dir/
    issuer = f"{AUTHORITY} {secrets.token_hex(8)}"
    authority = _describe(issuer, issuer, authority_key.public_key(), authority_key.public_key())
    server = _describe(NAMES[0], issuer, key.public_key(), authority_key.public_key())
    # libpq before 15 looks for IP addresses among the DNS names:
    # https://www.postgresql.org/docs/15/libpq-ssl.html#LIBPQ-SSL-CERTIFICATES
    names = [*map(x509.DNSName, NAMES), x509.IPAddress(ip_address(NAMES[1]))]
    server = server.add_extension(x509.SubjectAlternativeName(names), critical=False)
    vouched = _pem(authority.sign(authority_key, hashes.SHA256()))
    made.authority.write_bytes(vouched)
    (folder / f"{_hash(_name(issuer))}.0").write_bytes(vouched)
    made.server.touch(mode=0o600)
    made.server.write_bytes(_pem_of_key(key) + _pem(server.sign(authority_key, hashes.SHA256())))
    return made


def _describe(
    subject: str, issuer: str, key: PublicKey, issuer_key: PublicKey
) -> x509.CertificateBuilder:
    """Returns an unsigned certificate: the authority's own or the warehouse's."""
    now = datetime.now(UTC)
    is_authority = subject == issuer
    # Python 3.13 and newer require both key identifiers and the key usage.
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key)
    return (
        x509.CertificateBuilder(_name(issuer), _name(subject), key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LASTS)
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(_uses(is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(identifier, critical=False)
    )


def _uses(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _hash(name: x509.Name) -> str:
    """Returns OpenSSL's file name for an authority; the name must be short and in lower case."""
    # https://docs.openssl.org/3.0/man1/openssl-rehash/, X509_NAME_hash_ex in x509_cmp.c: OpenSSL
    # hashes the name in lower case, without the two bytes that start the sequence.
    digest = hashlib.sha1(name.public_bytes()[2:], usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _trusted_already() -> str:
    # SSL_CERT_DIR replaces the folders in which OpenSSL looks.
    paths = ssl.get_default_verify_paths()
    return os.environ.get(paths.openssl_capath_env) or paths.openssl_capath
