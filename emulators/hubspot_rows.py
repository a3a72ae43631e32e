"""The world's deals as HubSpot tells them: every property a text, times in milliseconds."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from emulators.world import instant
from emulators.world.deals import Deal, worth
from emulators.world.world import World

Row = dict[str, Any]

_STAGES = (
    ("appointmentscheduled", "Discovery", "0.2"),
    ("qualifiedtobuy", "Proposal", "0.4"),
    ("presentationscheduled", "Negotiation", "0.6"),
    ("contractsent", "Contract", "0.8"),
    ("closedwon", "Closed won", "1.0"),
    ("closedlost", "Closed lost", "0.0"),
)
_BY_LABEL = {label: name for name, label, _ in _STAGES}
_PROBABILITY = {name: probability for name, _, probability in _STAGES}
_BY_STATUS = {
    "recognized": "closedwon",
    "pending": "closedwon",
    "lost": "closedlost",
    "void": "closedlost",
    "pipeline": "appointmentscheduled",
}
_ALWAYS = ("createdate", "hs_lastmodifieddate", "hs_object_id")

PIPELINE: Row = {
    "id": "default",
    "label": "Sales Pipeline",
    "displayOrder": 0,
    "stages": [
        {
            "id": name,
            "label": label,
            "displayOrder": order,
            "metadata": {
                "isClosed": str(name.startswith("closed")).lower(),
                "probability": probability,
            },
            "createdAt": "2024-01-01T00:00:00.000Z",
            "updatedAt": "2024-01-01T00:00:00.000Z",
            "archived": False,
        }
        for order, (name, label, probability) in enumerate(_STAGES)
    ],
    "createdAt": "2024-01-01T00:00:00.000Z",
    "updatedAt": "2024-01-01T00:00:00.000Z",
    "archived": False,
}


def rows(world: World, *, archived: bool, wanted: Iterable[str]) -> list[Row]:
    """Return the deals that are, or are not, archived, with the properties wanted."""
    names = {*wanted, *_ALWAYS}
    known = world.deals.known(world.clock())
    return [
        _row(deal, names, world.faults.deals.currency)
        for deal in known
        if (deal["status"] == "void") is archived
    ]


def identity(deal: Deal) -> str:
    """Return HubSpot's number of a deal."""
    digest = blake2b(str(deal["id"]).encode(), digest_size=5).digest()
    return str(10_000_000_000 + int.from_bytes(digest) % 10_000_000_000)


def _row(deal: Deal, names: set[str], currency: str) -> Row:
    changed = _milliseconds(deal["updated_at"])
    told = _properties(deal, changed, currency)
    row: Row = {
        "id": identity(deal),
        "properties": {name: told.get(name) for name in sorted(names) if name},
        "createdAt": changed,
        "updatedAt": changed,
        "archived": deal["status"] == "void",
    }
    return row | ({"archivedAt": changed} if row["archived"] else {})


def _properties(deal: Deal, changed: str, currency: str) -> dict[str, str | None]:
    stage = _BY_LABEL.get(str(deal["stage"]), _BY_STATUS[deal["status"]])
    won, closed = stage == "closedwon", stage.startswith("closed")
    home = currency == "USD" and worth(deal)
    return {
        "hs_object_id": identity(deal),
        "createdate": changed,
        "hs_lastmodifieddate": changed,
        "dealname": deal["name"],
        "amount": deal["amount"],
        "deal_currency_code": deal["currency"],
        "amount_in_home_currency": format(home, "f") if home else None,
        "closedate": deal["closed_date"] and f"{deal['closed_date']}T20:00:00Z",
        "dealstage": stage,
        "pipeline": "default",
        "hs_is_closed": str(closed).lower(),
        "hs_is_closed_won": str(won).lower(),
        "hs_deal_stage_probability": deal["probability"] or _PROBABILITY[stage],
        "hubspot_owner_id": deal["owner"] and str(1_000 + sum(map(ord, deal["owner"]))),
        "recognized_at": deal["recognized_at"],
        "service_start": deal["service_start"],
        "service_end": deal["service_end"],
    }


def _milliseconds(text: str) -> str:
    moment = instant.parse(text)
    return instant.text(moment - moment % 1_000)[:-4] + "Z"
