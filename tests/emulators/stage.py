"""A stage: a world with a clock in the test's hand, served by real servers on free ports."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA256

from emulators import admin, hubspot, revenue
from emulators.anthropic.analytics import BETA
from emulators.anthropic.service import service as anthropic_service
from emulators.kalshi.service import service as kalshi_service
from emulators.server import Server, Service, troubled
from emulators.world import instant
from emulators.world.charter import Charter
from emulators.world.instant import DAY
from emulators.world.journal import Journal
from emulators.world.listing import MadeUp
from emulators.world.market import Listing
from emulators.world.world import World

START = instant.at(2026, 11, 21, 21)
ADMIN_KEY = "sk-ant-admin01-test"
TOKEN = "rev_test"  # noqa: S105 - the stage's own
RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
ED25519_KEY = Ed25519PrivateKey.generate()

Answer = requests.Response


@dataclass
class Stage:
    """The world, its clock, and a client of each of its servers."""

    world: World
    now: list[int]
    urls: dict[str, str] = field(default_factory=dict)
    session: requests.Session = field(default_factory=requests.Session)

    def signed(self, path: str, *, ed25519: bool = False, skew_ms: int = 0) -> dict[str, str]:
        """Return the headers that sign a GET of a path from root."""
        stamp = str(self.now[0] // 1_000 + skew_ms)
        message = f"{stamp}GET{path}".encode()
        if ed25519:
            signature = ED25519_KEY.sign(message)
        else:
            padding = PSS(mgf=MGF1(SHA256()), salt_length=32)
            signature = RSA_KEY.sign(message, padding, SHA256())
        return {
            "KALSHI-ACCESS-KEY": "ed" if ed25519 else "rsa",
            "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }

    def kalshi(self, path: str, **params: Any) -> Answer:
        """GET a signed path below the root."""
        whole = f"/trade-api/v2{path}"
        return self.session.get(
            self.urls["kalshi"] + whole, params=params, headers=self.signed(whole), timeout=60
        )

    def all_of(self, path: str, member: str, **params: Any) -> list[dict[str, Any]]:
        """Page through a Kalshi list to its end."""
        rows: list[dict[str, Any]] = []
        cursor = ""
        while True:
            body = self.kalshi(path, **params, **({"cursor": cursor} if cursor else {})).json()
            rows += body[member]
            cursor = body["cursor"]
            if not cursor:
                return rows

    def anthropic(self, path: str, headers: dict[str, str] | None = None, **params: Any) -> Answer:
        """GET below /v1/organizations; a query name ending in _ stands for its name with []."""
        usual = {
            "x-api-key": ADMIN_KEY, "anthropic-version": "2023-06-01", "anthropic-beta": BETA,
        }  # fmt: skip
        named = {name[:-1] + "[]" if name[-1] == "_" else name: v for name, v in params.items()}
        return self.session.get(
            f"{self.urls['anthropic']}/v1/organizations{path}",
            params=named, headers=usual if headers is None else headers, timeout=60,
        )  # fmt: skip

    def revenue(self, token: str = TOKEN, **params: Any) -> Answer:
        """GET /deals."""
        return self.session.get(
            f"{self.urls['revenue']}/deals",
            params=params, headers={"Authorization": f"Bearer {token}"}, timeout=60,
        )  # fmt: skip

    def hubspot(self, path: str, token: str = TOKEN, **given: Any) -> Answer:
        """GET below HubSpot's root, or POST what is given as `json`."""
        return self.session.request(
            "POST" if "json" in given else "GET", self.urls["hubspot"] + path,
            headers={"Authorization": f"Bearer {token}"}, timeout=60, **given,
        )  # fmt: skip

    def tell(self, kind: str, /, **wish: Any) -> Answer:
        """POST to the admin door."""
        return self.session.post(f"{self.urls['admin']}/{kind}", json=wish, timeout=60)

    def tell_here(self, kind: str, **wish: Any) -> None:
        """Tell the world itself, while its lock is held."""
        self.world.tell(kind, wish)

    def totals(self) -> dict[str, Any]:
        """GET the world's own totals."""
        return self.session.get(f"{self.urls['admin']}/totals", timeout=60).json()

    def untouched(self) -> str:
        """Return an open market that the account never traded."""
        self.world.advance()
        markets = self.world.catalog.tradable(self.now[0])
        series = ("KXCPI", "KXFED", "KXGDP")
        return next(
            m.ticker
            for m in markets
            if m.ticker not in self.world.account.by_ticker and m.series.ticker in series
        )


Make = Callable[..., Stage]


class Stages:
    """Opens stages on servers that are used again."""

    _idle: ClassVar[list[Server]] = []

    def __init__(self, folder: Path) -> None:
        """Keep journals in `folder`."""
        self._folder = folder
        self._busy: list[Server] = []
        self._sessions: list[requests.Session] = []

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections and give the servers back."""
        for session in self._sessions:
            session.close()
        self._idle.extend(self._busy)

    @classmethod
    def close(cls) -> None:
        """Stop every server."""
        for server in cls._idle:
            server.shutdown()
            server.server_close()
        cls._idle.clear()

    def _served(self, service: Service) -> str:
        if self._idle:
            server = self._idle.pop()
            server.service = service
        else:
            server = Server("127.0.0.1", 0, service)
            server.begin(poll=0.02)
        self._busy.append(server)
        return f"http://{server.authority}"

    def make(
        self,
        days: int = 3,
        seed: str = "7",
        journal: str = "journal",
        listing: Listing | None = None,
        *,
        unnetted: bool = False,
        direct: bool = True,
        share: int = 0,
    ) -> Stage:
        """Return a stage; the same seed, days and journal give the same world."""
        now = [START]
        charter = Charter(seed, START, START - days * DAY, unnetted, direct)
        kept = Journal(self._folder / journal)
        world = World(charter, listing or MadeUp(seed), kept, lambda: now[0], share)
        world.faults.read_tokens = 1_000_000
        stage = Stage(world, now)
        services = {
            "kalshi": kalshi_service(
                world, {"rsa": RSA_KEY.public_key(), "ed": ED25519_KEY.public_key()}
            ),
            "anthropic": anthropic_service(world, ADMIN_KEY),
            "revenue": revenue.service(world, TOKEN),
            "hubspot": hubspot.service(world, TOKEN),
        }
        doors = {name: troubled(name, world.faults, one) for name, one in services.items()}
        for name, service in {**doors, "admin": admin.service(world)}.items():
            stage.urls[name] = self._served(service)
        self._sessions.append(stage.session)
        return stage
