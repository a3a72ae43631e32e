"""Snapshots: the one live document, and the merge patch between two of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ledger import moment
from ledger.money import number
from ledger.revenue import Revenue

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trading:
    """Kalshi's share: nano-dollars, markets held and fills booked."""

    realized: int = 0
    unrealized: int = 0
    fees: int = 0
    open_positions: int = 0
    fills: int = 0

    @property
    def total(self) -> int:
        """Realized + unrealized − fees."""
        return self.realized + self.unrealized - self.fees


@dataclass(frozen=True, slots=True)
class Costs:
    """Anthropic's share: nano-dollars, positive; `unpriced` makes the total a lower bound."""

    billed: int = 0
    estimated: int = 0
    unpriced: bool = False

    @property
    def total(self) -> int:
        """Billed + estimated."""
        return self.billed + self.estimated


@dataclass(frozen=True, slots=True)
class Cash:
    """The account at the exchange: nano-dollars; absent members are unknown."""

    balance: int | None = None
    positions: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Net moves up to now, nano-dollars; `tick` as observed, the others as known."""

    tick: int = 0
    today: int = 0
    week: int = 0
    month: int = 0
    year: int = 0


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source as shown: status starting|ok|stale|failing|off and when it last succeeded."""

    status: str
    as_of: int | None = None
    latency_ms: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something a person should know: severity warning|critical, since an instant."""

    id: str
    severity: str
    title: str
    since: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One numbered statement: net = trading + recognized revenue − costs, in nano-dollars."""

    as_of: int
    since: int
    mode: str
    complete: bool
    trading: Trading
    revenue: Revenue
    costs: Costs
    cash: Cash
    change: Change
    sources: Mapping[str, SourceState]
    alerts: tuple[Alert, ...] = ()

    @property
    def net(self) -> int:
        """Net P&L."""
        return self.trading.total + self.revenue.recognized - self.costs.total

    def document(self, epoch: str, seq: int) -> Document:
        """Return the live document of `docs/wire.md`; money as Decimal of at most six places."""
        return {
            "epoch": epoch,
            "seq": seq,
            "as_of": moment.text(self.as_of),
            "since": moment.text(self.since),
            "currency": "USD",
            "mode": self.mode,
            "complete": self.complete,
            "net_pnl": number(self.net),
            "trading": _trading(self.trading),
            "revenue": _money(self.revenue),
            "costs": _costs(self.costs),
            "cash": _cash(self.cash),
            "change": _money(self.change),
            "sources": {name: _source(state) for name, state in self.sources.items()},
            "alerts": [_alert(alert) for alert in _shown(self.alerts)],
        }


def _money(figures: Revenue | Change) -> dict[str, Decimal]:
    return {name: number(getattr(figures, name)) for name in figures.__slots__}


def _trading(trading: Trading) -> Document:
    return {
        "total": number(trading.total),
        "realized": number(trading.realized),
        "unrealized": number(trading.unrealized),
        "fees": number(trading.fees),
        "open_positions": trading.open_positions,
        "fills": trading.fills,
    }


def _costs(costs: Costs) -> Document:
    return {
        "total": number(costs.total),
        "billed": number(costs.billed),
        "estimated": number(costs.estimated),
        "unpriced": costs.unpriced,
    }


def _cash(cash: Cash) -> Document:
    known = {name: getattr(cash, name) for name in Cash.__slots__}
    shown = {name: number(nano) for name, nano in known.items() if nano is not None}
    if cash.balance is not None and cash.positions is not None:
        shown["equity"] = number(cash.balance + cash.positions)
    return dict(shown)


def _source(state: SourceState) -> Document:
    shown: Document = {"status": state.status}
    if state.as_of is not None:
        shown["as_of"] = moment.text(state.as_of)
    if state.latency_ms is not None:
        shown["latency_ms"] = state.latency_ms
    if state.detail:
        shown["detail"] = state.detail
    return shown


def _alert(alert: Alert) -> Document:
    return {
        "id": alert.id,
        "severity": alert.severity,
        "title": alert.title,
        "since": moment.text(alert.since),
    }


def _shown(alerts: tuple[Alert, ...]) -> list[Alert]:
    most = 20
    return sorted(alerts, key=lambda alert: (alert.severity, alert.since, alert.id))[:most]


def diff(a: Mapping[str, Any], b: Mapping[str, Any]) -> Document:
    """Return the JSON Merge Patch (RFC 7396) that turns `a` into `b`."""
    patch: Document = {name: None for name in a if name not in b}
    for name, value in b.items():
        if name not in a:
            patch[name] = value
        elif isinstance(value, dict) and isinstance(a[name], dict):
            inner = diff(a[name], value)
            if inner:
                patch[name] = inner
        elif not _same(a[name], value):
            patch[name] = value
    return patch


def _same(a: object, b: object) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return not diff(a, b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b and isinstance(a, bool) is isinstance(b, bool)


def apply(document: Mapping[str, Any], patch: Mapping[str, Any]) -> Document:
    """Return `document` with the merge patch applied; neither argument changes."""
    result = dict(document)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            inner = result.get(name)
            result[name] = apply(inner if isinstance(inner, dict) else {}, value)
        else:
            result[name] = value
    return result
