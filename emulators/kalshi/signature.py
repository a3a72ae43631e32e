"""Who signed a request: RSA-PSS or Ed25519 over timestamp, method and path."""

from base64 import b64decode
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from emulators.server import Reply, Request

PublicKey = RSAPublicKey | Ed25519PublicKey

SKEW_MS = 15_000
"""Between what the real one takes (5 s) and what it refuses (30 s)."""
_HEADERS = ("kalshi-access-key", "kalshi-access-timestamp", "kalshi-access-signature")


def refusal(request: Request, keys: Mapping[str, PublicKey], now_ms: int) -> Reply | None:
    """Return the 401 a request earns, None when it is signed by one of `keys` (by id)."""
    key_id, timestamp, signature = (request.header(name) for name in _HEADERS)
    if not (key_id and timestamp and signature):
        return _plain("signature_is_missing_from_headers", "signature is missing from headers")
    key = keys.get(key_id)
    if key is None:
        return _detailed("NOT_FOUND")
    if not timestamp.isdecimal() or abs(int(timestamp) - now_ms) > SKEW_MS:
        return _plain("header_timestamp_expired", "header timestamp expired")
    message = f"{timestamp}{request.method}{request.path}".encode()
    if not _signed(key, signature, message):
        return _detailed("INCORRECT_API_KEY_SIGNATURE")
    return None


def _signed(key: PublicKey, signature: str, message: bytes) -> bool:
    try:
        raw = b64decode(signature, validate=True)
        if isinstance(key, RSAPublicKey):
            padding = PSS(mgf=MGF1(SHA256()), salt_length=SHA256.digest_size)
            key.verify(raw, message, padding, SHA256())
        else:
            key.verify(raw, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _plain(code: str, message: str) -> Reply:
    return Reply(401, {"error": {"code": code, "message": message}})


def _detailed(details: str) -> Reply:
    name = "authentication_error"
    return Reply(401, {"error": {"code": name, "message": name, "details": details}})
