"""Rows of HubSpot's deals as deals: every property is a text, its stages are a firm's own."""

from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from hashlib import sha256

from ledger import moment
from ledger.facts import Deal, Status
from ledger.money import number
from pipeline.sources import revenue_rows
from pipeline.sources.fields import FieldError, Fields
from pipeline.sources.hubspot_portal import Portal, Stage
from pipeline.sources.hubspot_stages import StageMap

NAME = "hubspot"
PROPERTIES = (
    "dealname", "amount", "deal_currency_code", "amount_in_home_currency", "closedate", "dealstage",
    "pipeline", "hs_is_closed", "hs_is_closed_won", "hs_deal_stage_probability",
    "hs_lastmodifieddate", "hubspot_owner_id",
)  # fmt: skip
_MS = 1_000
_PRECISE = Context(prec=40)
_COMING = (Status.PIPELINE, Status.LOST, Status.VOID)
"""Statuses that do without an amount: a deal is often opened before its price is known."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are understood: the stage map, the account, and since when (µs, 0 for ever)."""

    stages: StageMap
    portal: Portal
    floor: int = 0

    @property
    def digest(self) -> str:
        """What makes the same row mean the same deal."""
        portal = self.portal
        return sha256(f"{self.stages}{portal.currency}{portal.zone}".encode()).hexdigest()[:16]


def deal(row: Fields, reading: Reading) -> Deal:
    """Return one deal; FieldError names the property that cannot be read."""
    given = row.row.get("properties")
    if not isinstance(given, dict):
        raise FieldError("properties", "is no object")
    told, identity = Fields(given), row.text("id")
    status = _status(told, reading, archived=row.row.get("archived") is True)
    currency = revenue_rows.currency(told, "deal_currency_code", reading.portal.currency)
    amount = 0 if status in _COMING and not told.has("amount") else told.dollars("amount")
    changed = _changed(row, told)
    rate = _rate(told, amount, currency, reading.portal)
    read = Deal(
        source=NAME,
        id=identity,
        name=revenue_rows.clean("dealname", told.text("dealname", f"deal {identity}")),
        status=status,
        amount=amount,
        updated_at=max(changed, reading.floor),
        currency=currency,
        closed_date=_day(told, "closedate", reading.portal),
        recognized_at=_day(told, reading.stages.recognized_at, reading.portal),
        service_start=_day(told, reading.stages.service_start, reading.portal),
        service_end=_day(told, reading.stages.service_end, reading.portal),
        probability=_probability(told, reading) if status is Status.PIPELINE else None,
        rate=rate,
        rate_date=moment.aware(changed).date() if rate else None,
        owner=told.text("hubspot_owner_id", ""),
        stage=told.text("dealstage", ""),
    )
    revenue_rows.check(read)
    return read


def modified(row: Fields) -> int:
    """Return when HubSpot says the deal's properties last changed, in milliseconds."""
    given = row.row.get("properties")
    if not isinstance(given, dict):
        raise FieldError("properties", "is no object")
    return _instant(Fields(given), "hs_lastmodifieddate") // _MS


def _status(told: Fields, reading: Reading, *, archived: bool) -> Status:
    if archived:
        return Status.LOST
    name = told.text("dealstage", "")
    if name in reading.stages.statuses:
        return reading.stages.statuses[name]
    if not _closed(told, reading.portal.stages.get(name)):
        return Status.PIPELINE
    if not _won(told, reading.portal.stages.get(name)):
        return Status.LOST
    own = reading.stages.recognized_at
    return Status.RECOGNIZED if own and told.has(own) else Status.PENDING


def _closed(told: Fields, stage: Stage | None) -> bool:
    if told.has("hs_is_closed"):
        return _flag(told, "hs_is_closed")
    if stage is None:
        raise FieldError("dealstage", f"is no stage we know: {told.row.get('dealstage')!r}")
    return stage.closed


def _won(told: Fields, stage: Stage | None) -> bool:
    if told.has("hs_is_closed_won"):
        return _flag(told, "hs_is_closed_won")
    if stage is None or stage.probability not in (0, 1):
        raise FieldError("hs_is_closed_won", "is missing, and the stage does not say it")
    return stage.probability == 1


def _flag(told: Fields, name: str) -> bool:
    word = told.text(name).lower()
    if word not in ("true", "false"):
        raise FieldError(name, f"must be true or false, not {word!r}")
    return word == "true"


def _probability(told: Fields, reading: Reading) -> Decimal | None:
    own = told.ratio("hs_deal_stage_probability")
    stage = reading.portal.stages.get(told.text("dealstage", ""))
    return own if own is not None or stage is None else stage.probability


def _rate(told: Fields, amount: int, currency: str, portal: Portal) -> Decimal | None:
    """Return USD per unit as HubSpot converted it; None unless the account's currency is USD.

    Of so many digits that the amount times the rate is HubSpot's own conversion exactly.
    """
    plain = currency == "USD" or portal.currency != "USD"
    if plain or not amount or not told.has("amount_in_home_currency"):
        return None
    rate = _PRECISE.divide(Decimal(told.dollars("amount_in_home_currency")), Decimal(amount))
    if rate <= 0:
        raise FieldError("amount_in_home_currency", f"makes no rate: {number(amount)} {currency}")
    return rate


def _changed(row: Fields, told: Fields) -> int:
    """Return when the deal last changed, its archiving and its coming back included."""
    instants = [_instant(row, name) for name in ("updatedAt", "archivedAt") if row.has(name)]
    if told.has("hs_lastmodifieddate") or not instants:
        instants.append(_instant(told, "hs_lastmodifieddate"))
    return max(instants)


def _day(told: Fields, name: str, portal: Portal) -> date | None:
    """Return the date of a property: HubSpot keeps a mere date as midnight UTC."""
    if not name or not told.has(name):
        return None
    try:
        return date.fromisoformat(told.text(name))
    except ValueError:
        instant = _instant(told, name)
    zone = None if instant % moment.DAY == 0 else portal.zone
    return moment.aware(instant).astimezone(zone).date() if zone else moment.aware(instant).date()


def _instant(told: Fields, name: str) -> int:
    """Return the µs of RFC 3339 or of epoch milliseconds."""
    text = told.text(name)
    if text.isascii() and text.isdigit():
        return told.whole(name) * _MS
    return told.instant(name)
