"""Kalshi's request signature: RSA-PSS or Ed25519 over timestamp + method + path."""

import base64
import threading
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ledger import moment

MILLI = 1_000
TOLERATED = 2 * moment.MICROS
"""How far two measures of the same clock may differ: Date has whole seconds."""
EXPIRED = "header_timestamp_expired"


class PrivateKeyError(ValueError):
    """The text is not the PEM of an RSA or Ed25519 private key without a password."""


class Signer:
    """Signs by the upstream's clock, as its answers show it."""

    def __init__(self, key_id: str, pem: str, clock: moment.Clock = moment.system) -> None:
        """Read the key; PrivateKeyError says what is wrong with it, never what it is."""
        self._key_id = key_id
        self._key = _loaded(pem)
        self._clock = clock
        self._lock = threading.Lock()
        self._measured = 0
        self.offset = 0

    def headers(self, method: str, path: str) -> Mapping[str, str]:
        """Return the three headers of a request; `path` from the root, without query."""
        timestamp = str((self._clock() + self.offset) // MILLI)
        signature = self._signed(f"{timestamp}{method.upper()}{path}".encode())
        return {
            "KALSHI-ACCESS-KEY": self._key_id,
            "KALSHI-ACCESS-TIMESTAMP": timestamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }

    def observe(self, date: int, now: int) -> None:
        """Measure the offset of the upstream's clock, in microseconds; the middle of its second."""
        with self._lock:
            self._measured = date + moment.MICROS // 2 - now

    def renewed(self, refusal: str) -> bool:
        """Set the clock anew when that was what the 401 complained about.

        An offset that did not help is taken back: then the upstream's Date is what is wrong.
        """
        if EXPIRED not in refusal:
            return False
        with self._lock:
            known = abs(self._measured - self.offset) <= TOLERATED
            self.offset = 0 if known else self._measured
        return True

    def blanked(self, text: str) -> str:
        """Return the text: no secret is ever sent."""
        return text

    def _signed(self, message: bytes) -> bytes:
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return self._key.sign(message, pss, hashes.SHA256())


def _loaded(pem: str) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PrivateKeyError("the key is not a PEM private key without a password") from error
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise PrivateKeyError(f"the key is {type(key).__name__}; RSA or Ed25519 is needed")
    return key
