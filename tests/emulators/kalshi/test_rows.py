"""Every row holds every required field, of the right type, as the public description says."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulators.world.instant import DAY, SECOND
from tests.emulators.stage import START, Stage

SPEC = Path(__file__).parents[4] / "shared/reference/kalshi-openapi.json"
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "boolean": (bool,), "number": (int, float),
    "array": (list,), "object": (dict,),
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not SPEC.exists(), reason="the public description is not beside the checkout"
)


def schemas() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SPEC.read_text())["components"]["schemas"]
    return found


def faults(schema: dict[str, Any], value: Any, known: dict[str, Any], at: str) -> list[str]:
    while "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    if value is None:
        return [] if schema.get("nullable") or "type" not in schema else [f"{at}: null"]
    kinds = TYPES.get(schema.get("type", ""), (object,))
    if not isinstance(value, kinds) or (kinds == (int,) and isinstance(value, bool)):
        return [f"{at}: {value!r} is no {schema['type']}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} not in {schema['enum']}")
    if isinstance(value, dict):
        found += [f"{at}.{n}: missing" for n in schema.get("required", ()) if n not in value]
        for name, part in schema.get("properties", {}).items():
            if name in value:
                found += faults(part, value[name], known, f"{at}.{name}")
    if isinstance(value, list):
        for item in value:
            found += faults(schema["items"], item, known, f"{at}[]")
    return found


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/portfolio/fills", "GetFillsResponse"),
        ("/historical/fills", "GetFillsResponse"),
        ("/portfolio/orders", "GetOrdersResponse"),
        ("/historical/orders", "GetOrdersResponse"),
        ("/portfolio/positions", "GetPositionsResponse"),
        ("/portfolio/positions?settlement_status=all", "GetPositionsResponse"),
        ("/historical/positions", "GetPositionsResponse"),
        ("/portfolio/settlements", "GetSettlementsResponse"),
        ("/portfolio/balance", "GetBalanceResponse"),
        ("/portfolio/deposits", "GetDepositsResponse"),
        ("/portfolio/withdrawals", "GetWithdrawalsResponse"),
        ("/account/limits", "GetAccountApiLimitsResponse"),
        ("/account/endpoint_costs", "GetAccountEndpointCostsResponse"),
        ("/markets", "GetMarketsResponse"),
        ("/historical/markets", "GetMarketsResponse"),
        ("/markets/{market}", "GetMarketResponse"),
        ("/events", "GetEventsResponse"),
        ("/events/{event}", "GetEventResponse"),
        ("/series", "GetSeriesListResponse"),
        ("/series/{series}", "GetSeriesResponse"),
        ("/exchange/status", "ExchangeStatus"),
        ("/exchange/user_data_timestamp", "GetUserDataTimestampResponse"),
        ("/historical/cutoff", "GetHistoricalCutoffResponse"),
        ("/series/{series}/markets/{market}/candlesticks", "GetMarketCandlesticksResponse"),
        ("/historical/markets/{market}/candlesticks", "GetMarketCandlesticksHistoricalResponse"),
    ],
)
def test_an_answer_is_what_the_public_description_says(
    season: Stage, path: str, schema: str
) -> None:
    names = {"market": "KXFED-26DEC-T3.75", "event": "KXFED-26DEC", "series": "KXFED"}
    path, _, query = path.format(**names).partition("?")
    params: dict[str, Any] = {"limit": 1000} | dict([query.split("=")] if query else [])
    if "candlesticks" in path:
        params = {"start_ts": (START - DAY) // SECOND, "end_ts": START // SECOND}
        params["period_interval"] = 60
    body = season.kalshi(path, **params).json()
    known = schemas()
    assert faults(known[schema], body, known, schema) == []
    assert all(part or part == "" for name, part in body.items() if name != "withdrawals") or (
        schema in ("GetWithdrawalsResponse", "GetAccountEndpointCostsResponse") or "grants" in body
    )
