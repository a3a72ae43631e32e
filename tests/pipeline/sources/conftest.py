"""An upstream to answer what a test says, a clock that moves by sleeping, keys."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.moment import MICROS, parse
from pipeline.sources.source import Deadline, Timepiece
from tests.pipeline.sources.upstream import Upstream

NOON = parse("2026-11-20T12:00:00Z")


@dataclass
class Hands:
    """A clock that only sleeping moves; `slept` lists how long each time."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> int:
        """Return the microseconds the hands show."""
        return NOON + round(self.seconds * MICROS)

    def sleep(self, seconds: float) -> None:
        """Move the hands."""
        self.slept.append(seconds)
        self.seconds += seconds

    def deadline(self, seconds: float = 3.0) -> Deadline:
        """Return a deadline by these hands."""
        return Deadline.after(seconds, lambda: self.seconds)

    def timepiece(self) -> Timepiece:
        """Return the clocks a source takes."""
        return Timepiece(self.now, lambda: self.seconds, self.sleep)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream().running() as server:
        yield server


@pytest.fixture
def exchange() -> Iterator[Upstream]:
    with Upstream("/trade-api/v2").running() as server:
        yield server


@pytest.fixture(scope="session")
def pem() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
