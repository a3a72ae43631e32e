"""The firm's accounts: which sources there are, opened from plain values."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.sources.anthropic import Anthropic
from pipeline.sources.hubspot import HubSpot
from pipeline.sources.hubspot_stages import stage_map
from pipeline.sources.kalshi import Kalshi
from pipeline.sources.revenue import Revenue
from pipeline.sources.signature import Signer
from pipeline.sources.source import Source

Reread = Callable[[str], Callable[[], str | None]]
"""Of a secret's name: what reads it again, None when it can't be."""


def _never(name: str) -> Callable[[], str | None]:
    del name
    return lambda: None


_API, _SOCKET = "/trade-api/v2", "/trade-api/ws/v2"


@dataclass(frozen=True, slots=True)
class Accounts:
    """What is configured; each field is named as its setting."""

    sources: tuple[str, ...]
    tick_seconds: float
    kalshi_api_url: str
    kalshi_ws_url: str
    kalshi_api_key_id: str
    kalshi_private_key: str
    anthropic_api_url: str
    anthropic_admin_key: str
    anthropic_cost_source: str
    anthropic_cost_csv: str
    anthropic_poll_seconds: float
    revenue_api_url: str
    revenue_api_token: str
    revenue_poll_seconds: float
    hubspot_api_url: str
    hubspot_token: str
    hubspot_stages: str

    def check(self) -> None:
        """Refuse what no source could be opened with: PrivateKeyError, StagesError."""
        if "kalshi" in self.sources:
            Signer(self.kalshi_api_key_id, self.kalshi_private_key)
        stage_map(self.hubspot_stages)

    def opened(self, reread: Reread = _never) -> list[Source]:
        """Return the configured sources, ready to be read; `reread` finds a changed key."""
        makers = {"kalshi": self._kalshi, "anthropic": self._anthropic, "revenue": self._deals}
        return [source for name in self.sources for source in makers[name](reread)]

    def _kalshi(self, reread: Reread) -> list[Source]:
        key_id, pem = reread("kalshi_api_key_id"), reread("kalshi_private_key")
        kalshi = Kalshi(
            self.kalshi_api_url,
            self.kalshi_api_key_id,
            self.kalshi_private_key,
            stream_url=stream_url(self.kalshi_api_url, self.kalshi_ws_url),
            cadence=self.tick_seconds,
            reload=lambda: (key_id(), pem()),
        )
        return [kalshi]

    def _anthropic(self, reread: Reread) -> list[Source]:
        anthropic = Anthropic(
            self.anthropic_api_url,
            self.anthropic_admin_key,
            cost_source=self.anthropic_cost_source,
            csv_path=self.anthropic_cost_csv,
            cadence=self.anthropic_poll_seconds,
            reload=reread("anthropic_admin_key"),
        )
        return [anthropic]

    def _deals(self, reread: Reread) -> list[Source]:
        """Return whatever keeps deals: the contract's API, HubSpot, or both."""
        made: list[Source] = []
        if self.revenue_api_url:
            made.append(
                Revenue(
                    self.revenue_api_url,
                    self.revenue_api_token,
                    cadence=self.revenue_poll_seconds,
                    reload=reread("revenue_api_token"),
                )
            )
        if self.hubspot_token:
            made.append(
                HubSpot(
                    self.hubspot_api_url,
                    self.hubspot_token,
                    stage_map(self.hubspot_stages),
                    cadence=self.revenue_poll_seconds,
                    reload=reread("hubspot_token"),
                )
            )
        return made


def stream_url(api: str, socket: str) -> str:
    """Return where the stream is: as told, else beside the REST API in the same environment.

    A key is never shown to another environment than its own; Kalshi's recommended hosts have a
    host of their own for streams, all others serve both.
    """
    if socket:
        return socket
    parts = urlsplit(api)
    host = parts.netloc.replace("external-api.", "external-api-ws.", 1)
    scheme = {"https": "wss", "http": "ws"}[parts.scheme]
    path = parts.path.removesuffix("/").removesuffix(_API)
    return f"{scheme}://{host}{path}{_SOCKET}"
