"""Kalshi's signature, verified with the public key, and the upstream's clock."""

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from ledger.moment import MICROS
from pipeline.sources.signature import PrivateKeyError, Signer
from tests.pipeline.sources.conftest import NOON

PATH = "/trade-api/v2/portfolio/fills"
EXPIRED = '{"error":{"code":"header_timestamp_expired","message":"header timestamp expired"}}'
Key = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def written(key: Key, password: bytes | None = None) -> str:
    """Return a key as PEM."""
    locked = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked).decode()


def signed(signer: Signer) -> tuple[bytes, bytes, int]:
    """Return the signature, what it should cover, and the milliseconds it names."""
    headers = signer.headers("get", PATH)
    timestamp = headers["KALSHI-ACCESS-TIMESTAMP"]
    signature = base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"], validate=True)
    return signature, f"{timestamp}GET{PATH}".encode(), int(timestamp)


def test_an_rsa_key_signs_by_pss_with_a_salt_as_long_as_the_digest() -> None:
    key = rsa.generate_private_key(65_537, 2_048)
    signature, message, _ = signed(Signer("id", written(key)))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    key.public_key().verify(signature, message, pss, hashes.SHA256())


def test_an_ed25519_key_signs_the_same_text() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    signer = Signer("key id", written(key))
    signature, message, _ = signed(signer)
    key.public_key().verify(signature, message)
    assert signer.headers("GET", PATH)["KALSHI-ACCESS-KEY"] == "key id"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a key",
        written(ec.generate_private_key(ec.SECP256R1())),
        written(ed25519.Ed25519PrivateKey.generate(), b"password"),
    ],
)
def test_what_is_no_usable_key_is_said_without_showing_it(text: str) -> None:
    with pytest.raises(PrivateKeyError, match="key is") as raised:
        Signer("id", text)
    assert not text or text not in str(raised.value)


def test_the_clock_is_not_touched_while_it_is_accepted(pem: str) -> None:
    signer = Signer("id", pem, lambda: NOON)
    signer.observe(NOON + 60 * MICROS, NOON)
    assert signed(signer)[2] == NOON // 1_000


def test_an_expired_timestamp_sets_the_clock_by_the_upstream(pem: str) -> None:
    signer = Signer("id", pem, lambda: NOON)
    signer.observe(NOON + 41 * MICROS, NOON)
    assert signer.renewed(EXPIRED)
    assert signed(signer)[2] == (NOON + 41 * MICROS + MICROS // 2) // 1_000


def test_an_offset_that_did_not_help_is_taken_back(pem: str) -> None:
    signer = Signer("id", pem, lambda: NOON)
    signer.observe(NOON + 41 * MICROS, NOON)
    signer.renewed(EXPIRED)
    signer.observe(NOON + 42 * MICROS, NOON)
    signer.renewed(EXPIRED)
    assert signer.offset == 0


def test_another_refusal_renews_nothing(pem: str) -> None:
    signer = Signer("id", pem, lambda: NOON)
    assert not signer.renewed('{"error":{"details":"INCORRECT_API_KEY_SIGNATURE"}}')


def test_two_requests_refused_for_the_same_clock_set_it_once(pem: str) -> None:
    """The second refusal is of a request signed before the first one set the clock."""
    signer = Signer("id", pem, lambda: NOON)
    signer.observe(NOON + 41 * MICROS, NOON)
    version = signer.version
    assert signer.renewed(EXPIRED, version)
    assert signer.renewed(EXPIRED, version)
    assert signer.offset == 41 * MICROS + MICROS // 2


def test_a_replaced_key_signs_at_once() -> None:
    old, new = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))
    stored: tuple[str | None, str | None] = ("old id", written(old))
    signer = Signer("old id", written(old), reload=lambda: stored)
    version = signer.version
    assert not signer.renewed("401", version)
    stored = ("new id", written(new).replace("\n", "\\n"))
    assert signer.renewed("401", version)
    signature, message, _ = signed(signer)
    new.public_key().verify(signature, message)
    assert signer.headers("GET", PATH)["KALSHI-ACCESS-KEY"] == "new id"
    assert signer.renewed("401", version)  # of a request that the old key had signed
    assert not signer.renewed("401", signer.version)


def test_only_what_has_a_file_is_replaced(pem: str) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    signer = Signer("id", pem, reload=lambda: (None, written(key)))
    assert signer.renewed("401", signer.version)
    assert signer.headers("GET", PATH)["KALSHI-ACCESS-KEY"] == "id"


@pytest.mark.parametrize(
    ("stored", "trouble"),
    [
        (("id", "-----BEGIN PRIV"), "the key is not a PEM private key"),
        (("", None), "the key has no id"),
        (("id", ""), "the key is not a PEM"),
    ],
)
def test_half_a_key_keeps_the_old_one_and_is_said(
    pem: str, stored: tuple[str | None, str | None], trouble: str
) -> None:
    signer = Signer("key id", pem, reload=lambda: stored)
    assert not signer.renewed("401", signer.version)
    assert trouble in signer.trouble
    assert "the old one stays" in signer.trouble
    assert signer.headers("GET", PATH)["KALSHI-ACCESS-KEY"] == "key id"
    stored = ("key id", pem)
    assert not signer.renewed("401", signer.version)
    assert signer.trouble == ""
