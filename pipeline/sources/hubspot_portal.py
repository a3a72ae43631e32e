"""A HubSpot account as it is set up: its stages, its currency, its zone."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger.money import MoneyError, dollars, number
from pipeline.sources.client import Broken, Client, Declined, Missing, Refused
from pipeline.sources.source import Deadline

VERSION = "2026-09"
"""HubSpot's dated API; each works for years after the next one is out."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a pipeline: whether deals end there, and how likely they are won."""

    closed: bool
    probability: Decimal | None


@dataclass(frozen=True, slots=True)
class Portal:
    """Stages by their id, the account's own currency and zone, and what is not known of it.

    `sent` is the upstream's clock when it was read, µs.
    """

    stages: Mapping[str, Stage]
    currency: str = "USD"
    zone: tzinfo = UTC
    note: str = ""
    sent: int = 0


@dataclass(frozen=True, slots=True)
class _Account:
    currency: str = "USD"
    zone: tzinfo = field(default=UTC)
    note: str = ""


def read(client: Client, deadline: Deadline, version: str = VERSION) -> Portal:
    """Return the account's set-up; SourceError when its pipelines cannot be read."""
    answer = client.get(f"/crm/pipelines/{version}/deals", deadline=deadline)
    results = answer.body.get("results") if isinstance(answer.body, dict) else None
    if not isinstance(results, list):
        raise Broken("the answer has no list «results» of pipelines", 200)
    stages = {name: stage for pipeline in results for name, stage in _stages(pipeline)}
    account = _account(client, deadline, version)
    return Portal(stages, account.currency, account.zone, account.note, answer.sent)


def _stages(pipeline: object) -> list[tuple[str, Stage]]:
    stages = pipeline.get("stages") if isinstance(pipeline, dict) else None
    if not isinstance(stages, list):
        raise Broken("a pipeline has no list «stages»", 200)
    return [(str(stage.get("id")), _stage(stage)) for stage in stages if isinstance(stage, dict)]


def _stage(stage: Mapping[str, object]) -> Stage:
    metadata = stage.get("metadata")
    told = metadata if isinstance(metadata, dict) else {}
    probability: Decimal | None = None
    with suppress(MoneyError):
        probability = number(dollars(told.get("probability", "")))
    ends = str(told.get("isClosed", probability in (0, 1))).lower()
    return Stage(ends == "true", probability)


def _account(client: Client, deadline: Deadline, version: str) -> _Account:
    """Return what the key may know of the account: it need not be allowed to ask."""
    try:
        body = client.get(f"/account-info/{version}/details", deadline=deadline).body
    except (Refused, Missing, Declined):
        return _Account(note="the key may not read the account: taken as USD and UTC")
    told = body if isinstance(body, dict) else {}
    currency = told.get("companyCurrency") or "USD"
    return _Account(str(currency), _zone(told.get("timeZone")))


def _zone(name: object) -> tzinfo:
    try:
        return ZoneInfo(str(name))
    except (KeyError, OSError, ValueError):
        return UTC
