"""Figures as plain dicts: typed arrays, no list of numbers where a start and a step will do."""

from array import array
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from components import format as fmt
from components import theme
from ledger import moment, money

MILLI: Final = 1_000
GRACE_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Day:
    """The day a curve shows: [start, end) in microseconds, in `zone`, a figure each `tick`."""

    start: int
    end: int
    zone: ZoneInfo
    tick: float = 10.0

    @classmethod
    def of(cls, instant: int, zone: ZoneInfo, tick: float = 10.0) -> "Day":
        """Return the display day that holds the instant."""
        start = moment.day_start(instant, zone)
        return cls(start, moment.next_day(start, zone), zone, tick)

    def offset(self, instant: int) -> int:
        """Return wall clock minus UTC in milliseconds, for axes that know no zones."""
        shift = moment.aware(instant, self.zone).utcoffset()
        return 0 if shift is None else round(shift.total_seconds()) * MILLI


@dataclass(frozen=True, slots=True)
class Curve:
    """Closed minutes and the running tail: dollars as floats, instants in microseconds."""

    start: int | None
    net: tuple[float, ...]
    base: tuple[float, ...]
    tail: tuple[tuple[int, float, float], ...]


def curve(rows: Iterable[Mapping[str, Any]], document: Mapping[str, Any] | None) -> Curve:
    """Return the curve of 1m `rows` up to the document; its end is the document's own net.

    A row counts once its minute is over at the document's `as_of`; net and net without what is
    unrealized are drawn where the minute ends.
    """
    if document is None or not document["complete"]:
        return Curve(None, (), (), ())
    now = moment.parse(document["as_of"])
    closed = [row for row in rows if row["time"] + moment.MINUTE <= now]
    net = tuple(_pixel(row["net_close"]) for row in closed)
    base = tuple(_pixel(row["net_close"] - row["unrealized"]) for row in closed)
    unrealized = document["trading"]["unrealized"]
    tip = (now, float(document["net_pnl"]), float(document["net_pnl"] - unrealized))
    if not closed:
        return Curve(None, (), (), (tip,))
    last = closed[-1]["time"] + moment.MINUTE
    return Curve(closed[0]["time"] + moment.MINUTE, net, base, ((last, net[-1], base[-1]), tip))


def day_figure(
    rows: Iterable[Mapping[str, Any]],
    document: Mapping[str, Any] | None,
    day: Day,
    scheme: theme.Scheme = "light",
) -> dict[str, Any]:
    """Return the curve of the day: net, net without unrealized, and the band between them."""
    made = curve(rows, document)
    now = day.start if document is None else moment.parse(document["as_of"])
    offset = day.offset(now)
    return {
        "data": [*_closed(made, offset, scheme), *_tail(made, offset, scheme)],
        "layout": _layout(day, offset, scheme),
    }


def packed(values: Iterable[float]) -> dict[str, str]:
    """Return a float64 array as Plotly's typed-array object."""
    return {"dtype": "f8", "bdata": b64encode(array("d", values).tobytes()).decode()}


def caption(day: Day, offset: int) -> str:
    """Return the axis title: the zone and its distance from UTC in force at the figures."""
    minutes = abs(offset) // (60 * MILLI)
    sign = fmt.MINUS if offset < 0 else "+"
    return f"{day.zone.key} (UTC{sign}{minutes // 60:02}:{minutes % 60:02})"


def _pixel(nano: int) -> float:
    return float(money.number(nano))


def _closed(made: Curve, offset: int, scheme: theme.Scheme) -> list[dict[str, Any]]:
    start = None if made.start is None else made.start // MILLI + offset
    grid = {"x0": start, "dx": moment.MINUTE // MILLI}
    return [
        {**grid, "y": packed(made.base), **_line("base", scheme)},
        {**grid, "y": packed(made.net), **_line("net", scheme)},
    ]


def _tail(made: Curve, offset: int, scheme: theme.Scheme) -> list[dict[str, Any]]:
    x = [instant // MILLI + offset for instant, _, _ in made.tail]
    net = [level for _, level, _ in made.tail]
    return [
        {"x": x, "y": [level for _, _, level in made.tail], **_line("base", scheme)},
        {"x": x, "y": net, **_line("net", scheme)},
        {"x": x[-1:], "y": net[-1:], **_now(scheme)},
    ]


def _now(scheme: theme.Scheme) -> dict[str, Any]:
    color = theme.TOKENS[scheme]["accent"]
    return {
        "type": "scatter",
        "mode": "markers",
        "showlegend": False,
        "hoverinfo": "skip",
        "cliponaxis": False,
        "marker": {"color": color, "size": 8},
    }


def _line(name: str, scheme: theme.Scheme) -> dict[str, Any]:
    token = theme.TOKENS[scheme]
    shared = {"type": "scatter", "mode": "lines", "showlegend": False}
    if name == "base":
        return {
            **shared,
            "name": "Without unrealized",
            "line": {"color": token["muted"], "width": 1, "dash": "dot"},
            "hovertemplate": "%{y:$,.2f}",
        }
    return {
        **shared,
        "name": "Net",
        "line": {"color": token["accent"], "width": 2},
        "fill": "tonexty",
        "fillcolor": token["accent-soft"],
        "hovertemplate": "%{y:$,.2f}",
    }


def _layout(day: Day, offset: int, scheme: theme.Scheme) -> dict[str, Any]:
    axis = theme.axis(scheme)
    title = {**axis["title"], "text": caption(day, offset), "standoff": 10}
    gap = (3 * day.tick + GRACE_SECONDS) * MILLI
    return {
        **theme.layout(scheme),
        "margin": {"l": 4, "r": 8, "t": 8, "b": 0},
        "hovermode": "x unified",
        "dragmode": "zoom",
        "showlegend": False,
        "xaxis": {
            **axis,
            "type": "date",
            "showgrid": False,
            "hoverformat": "%H:%M:%S",
            "tickformatstops": [
                {"dtickrange": [None, 60_000], "value": "%H:%M:%S"},
                {"dtickrange": [60_000, None], "value": "%H:%M"},
            ],
            "automargin": True,
            "title": title,
        },
        "yaxis": {
            **axis,
            "tickformat": "$,.0f",
            "side": "right",
            "ticklabelstandoff": 8,
            "automargin": True,
            "fixedrange": False,
        },
        "meta": {
            "start": day.start // MILLI,
            "end": day.end // MILLI,
            "offset": offset,
            "gap": gap,
            "zone": day.zone.key,
            "scheme": scheme,
        },
    }
