"""The curve of the day: its end is the card, its bytes are few."""

import json
import struct
from base64 import b64decode
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from components import charts
from components.charts import Day
from ledger import moment
from ledger.moment import MINUTE

START = moment.parse("2026-11-21T08:00:00Z")
NOW = moment.parse("2026-11-21T18:40:10Z")


def minutes(count: int) -> list[dict[str, Any]]:
    level = 10**9
    return [
        {"time": START + index * MINUTE, "net_close": index * level, "unrealized": level // 4}
        for index in range(count)
    ]


def unpacked(values: dict[str, str]) -> list[float]:
    raw = b64decode(values["bdata"])
    return list(struct.unpack(f"<{len(raw) // 8}d", raw))


def test_the_end_of_the_curve_is_the_documents_net(
    document: dict[str, Any], zone: ZoneInfo
) -> None:
    figure = charts.day_figure(minutes(641), document, Day.of(NOW, zone))
    assert figure["data"][3]["y"][-1] == float(document["net_pnl"])
    assert figure["data"][4]["y"] == [float(document["net_pnl"])]


def test_the_end_without_unrealized_differs_by_the_documents_unrealized(
    document: dict[str, Any], zone: ZoneInfo
) -> None:
    figure = charts.day_figure(minutes(641), document, Day.of(NOW, zone))
    expected = document["net_pnl"] - document["trading"]["unrealized"]
    assert figure["data"][2]["y"][-1] == float(expected)


def test_a_minute_is_drawn_at_its_end_once_it_is_over(document: dict[str, Any]) -> None:
    made = charts.curve(minutes(700), document)
    assert made.start == START + MINUTE
    assert len(made.net) == 640
    assert made.tail[0] == (START + 640 * MINUTE, 639.0, 638.75)
    assert made.tail[1][0] == NOW


def test_the_minute_that_ends_at_the_figures_is_over(document: dict[str, Any]) -> None:
    document["as_of"] = moment.text(START + 3 * MINUTE)
    assert len(charts.curve(minutes(10), document).net) == 3


def test_without_rows_the_curve_is_the_point_of_now(document: dict[str, Any]) -> None:
    made = charts.curve([], document)
    assert made.start is None
    assert [instant for instant, _, _ in made.tail] == [NOW]


@pytest.mark.parametrize("state", ["none", "incomplete"])
def test_nothing_is_drawn_before_the_figures_are_complete(
    document: dict[str, Any], zone: ZoneInfo, state: str
) -> None:
    shown = None if state == "none" else document | {"complete": False}
    figure = charts.day_figure(minutes(9), shown, Day.of(NOW, zone))
    assert [len(unpacked(trace["y"])) for trace in figure["data"][:2]] == [0, 0]
    assert [trace["x"] for trace in figure["data"][2:]] == [[], [], []]


def test_typed_arrays_keep_every_cent_of_large_sums() -> None:
    values = [83_886.08, 1_234_567_890.12, -0.01]
    assert unpacked(charts.packed(values)) == values


def test_closed_minutes_need_no_list_of_times(document: dict[str, Any], zone: ZoneInfo) -> None:
    figure = charts.day_figure(minutes(640), document, Day.of(NOW, zone))
    net = figure["data"][1]
    assert "x" not in net
    assert net["dx"] == 60_000
    offset = -8 * 3_600_000
    assert net["x0"] == (START + MINUTE) // 1000 + offset


def test_a_whole_day_is_below_sixty_kilobytes(document: dict[str, Any], zone: ZoneInfo) -> None:
    document["as_of"] = "2026-11-22T07:59:59.000000Z"
    figure = charts.day_figure(minutes(1440), document, Day.of(NOW, zone))
    assert len(json.dumps(figure)) < 60_000


def test_the_day_has_twenty_five_hours_when_the_clock_goes_back(zone: ZoneInfo) -> None:
    day = Day.of(moment.parse("2026-11-01T20:00:00Z"), zone)
    assert day.end - day.start == 25 * moment.HOUR


def test_the_axis_says_its_distance_from_utc(document: dict[str, Any], zone: ZoneInfo) -> None:
    figure = charts.day_figure([], document, Day.of(NOW, zone))
    assert figure["layout"]["xaxis"]["title"]["text"] == "America/Los_Angeles (UTC−08:00)"
    kolkata = Day.of(NOW, ZoneInfo("Asia/Kolkata"))
    assert charts.caption(kolkata, kolkata.offset(NOW)) == "Asia/Kolkata (UTC+05:30)"


def test_a_gap_is_three_ticks_and_five_seconds(document: dict[str, Any], zone: ZoneInfo) -> None:
    figure = charts.day_figure([], document, Day.of(NOW, zone, tick=2.0))
    assert figure["layout"]["meta"]["gap"] == 11_000


def test_pixels_come_from_the_wires_six_decimals() -> None:
    rows = [{"time": START, "net_close": 1_234_567_891_500, "unrealized": 0}]
    late = {
        "complete": True,
        "as_of": moment.text(START + MINUTE),
        "net_pnl": Decimal(1),
        "trading": {"unrealized": 0},
    }
    assert charts.curve(rows, late).net == (1234.567892,)
