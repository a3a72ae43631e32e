"""Certificates made for one test: expired, signed by nobody, of another host."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


AUTHORITY = "authority.pem"
"""Where the certificate of who signed is put, beside the server's own."""


def presented(kind: str, folder: Path) -> ssl.SSLContext:
    """Return a server's TLS; `kind` is expired, self-signed, wrong-host or good."""
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    now = datetime.now(UTC)
    root = _built("authority", "authority", authority.public_key(), now + 30 * DAY)
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = root.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / AUTHORITY).write_bytes(signed)
    alone = kind == "self-signed"
    end = now - DAY if kind == "expired" else now + 30 * DAY
    made = _built("upstream", "upstream" if alone else "authority", key.public_key(), end)
    made = made.add_extension(x509.SubjectAlternativeName(_hosts(kind)), critical=False)
    own = made.sign(key if alone else authority, hashes.SHA256())
    return _context(own, key, folder / f"{kind}.pem")


def _built(
    subject: str, issuer: str, key: ec.EllipticCurvePublicKey, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - 90 * DAY)
        .not_valid_after(end)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _hosts(kind: str) -> list[x509.GeneralName]:
    if kind == "wrong-host":
        return [x509.DNSName("somewhere-else.example")]
    return [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]


def _context(made: x509.Certificate, key: ec.EllipticCurvePrivateKey, path: Path) -> ssl.SSLContext:
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
