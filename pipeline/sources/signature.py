"""Kalshi's request signature: RSA-PSS or Ed25519 over timestamp + method + path."""

import base64
import threading
from collections.abc import Callable, Mapping
from functools import partial

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ledger import moment
from pipeline.sources.credentials import Secret

MILLI = 1_000
TOLERATED = 2 * moment.MICROS
"""How far two measures of the same clock may differ: Date has whole seconds."""
EXPIRED = "header_timestamp_expired"

Key = RSAPrivateKey | Ed25519PrivateKey
Reload = Callable[[], tuple[str | None, str | None]]
"""Return the key id and the PEM as they stand in their files now; None for what has no file."""


class PrivateKeyError(ValueError):
    """The text is not the PEM of an RSA or Ed25519 private key without a password."""


class Signer:
    """Signs by the upstream's clock, as its answers show it."""

    def __init__(
        self,
        key_id: str,
        pem: str,
        clock: moment.Clock = moment.system,
        reload: Reload | None = None,
    ) -> None:
        """Read the key; PrivateKeyError says what is wrong with it, never what it is."""
        again = None if reload is None else partial(_replaced, reload, (key_id, pem))
        self._secret = Secret((key_id, pem), _identified, again)
        self._clock = clock
        self._lock = threading.Lock()
        self._measured = 0
        self._set = 0
        self.offset = 0

    @property
    def version(self) -> object:
        """Return how often the key was replaced, and how often the clock was set."""
        return self._secret.version, self._set

    @property
    def trouble(self) -> str:
        """Return why the newest key cannot be used, "" mostly."""
        return self._secret.trouble

    def headers(self, method: str, path: str) -> Mapping[str, str]:
        """Return the three headers of a request; `path` from the root, without query."""
        key_id, key = self._secret.value
        timestamp = str((self._clock() + self.offset) // MILLI)
        signature = _signed(key, f"{timestamp}{method.upper()}{path}".encode())
        return {
            "KALSHI-ACCESS-KEY": key_id,
            "KALSHI-ACCESS-TIMESTAMP": timestamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }

    def observe(self, date: int, now: int) -> None:
        """Measure the offset of the upstream's clock, in microseconds; the middle of its second."""
        with self._lock:
            self._measured = date + moment.MICROS // 2 - now

    def outdated(self, refusal: str) -> bool:
        """Tell whether a 401 complained about the clock."""
        return EXPIRED in refusal

    def renewed(self, refusal: str, version: object = None) -> bool:
        """Set the clock anew when that was what the 401 complained about, else read the key anew.

        An offset that did not help is taken back: then the upstream's Date is what is wrong.
        """
        key, clock = version if isinstance(version, tuple) else (None, None)
        if not self.outdated(refusal):
            return self._secret.renewed(key)
        with self._lock:
            if clock in {None, self._set}:  # else another request has set it meanwhile
                known = abs(self._measured - self.offset) <= TOLERATED
                self.offset = 0 if known else self._measured
                self._set += 1
        return True

    def blanked(self, text: str) -> str:
        """Return the text: no secret is ever sent."""
        return text


def _signed(key: Key, message: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    return key.sign(message, pss, hashes.SHA256())


def _replaced(reload: Reload, given: tuple[str, str]) -> tuple[str, str]:
    key_id, pem = reload()
    return given[0] if key_id is None else key_id, given[1] if pem is None else pem


def _identified(given: tuple[str, str]) -> tuple[str, Key]:
    key_id, pem = given
    if not key_id.strip():
        raise PrivateKeyError("the key has no id")
    return key_id.strip(), _loaded(pem.replace("\\n", "\n"))


def _loaded(pem: str) -> Key:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PrivateKeyError("the key is not a PEM private key without a password") from error
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise PrivateKeyError(f"the key is {type(key).__name__}; RSA or Ed25519 is needed")
    return key
