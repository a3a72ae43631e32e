"""Faults of single rows: fields that drift, values that cannot be."""

from decimal import Decimal

from ledger.moment import DAY, HOUR, MICROS, text
from tests.faults.case import (
    Case,
    Play,
    changed,
    going_on,
    healed,
    lacking,
    refused,
    renamed,
    taken,
    within,
)
from tests.faults.clock import NOON
from tests.faults.stage import Stage
from tests.faults.upstream import Worn

ROW = "the row is quarantined by its field; the others count; read again when it is mended"
SAID = "an alert names source, field and reason; the source is well"
NONE = {"kalshi": "an exchange has no such thing"}


def drift(name: str, arrives: str, worn: dict[str, tuple[str, Worn]], **without: str) -> Case:
    """Return a case of a row that changed its shape."""
    return Case(f"drift-{name}", arrives, ROW, SAID, refused(worn), without)


def value(
    name: str, arrives: str, worn: dict[str, tuple[str, Worn]], lasting: str = "", **without: str
) -> Case:
    """Return a case of a value that cannot be."""
    return Case(f"value-{name}", arrives, ROW, SAID, refused(worn, lasting=lasting), without)


def enum(stage: Stage) -> None:
    """Play a word nobody knows: where it decides what counts, the row waits; else it is kept."""
    if stage.spoiled.name == "anthropic":
        wear = within("group", token_type="thought_tokens")  # noqa: S106 -- tokens of a model
        taken({"anthropic": ("17.505", wear)})(stage)
        assert "thought_tokens" in str(stage.rows("select * from costs"))
        return
    worn = {
        "kalshi": ("book_side", changed(book_side="both", outcome_side="both")),
        "revenue": ("status", changed(status="won")),
    }
    refused(worn)(stage)


def ahead(stage: Stage) -> None:
    """Play a date two days ahead: nothing counts before its time, and the true date is taken."""
    name, later = stage.spoiled.name, stage.clock.now + 2 * DAY
    if name == "revenue":
        stage.spoiled.worn["victim"] = changed(updated_at=text(later))
        stage.arrive()
        stage.tick()
        assert stage.whole(stage.spoiled.expected.both) or stage.refused()
        stage.spoiled.heal()
        amended = stage.spoiled.victim() | {"amount": "35.00"}
        stage.spoiled.rows = [row for row in stage.spoiled.rows if row["id"] != "victim"]
        stage.spoiled.arrive(amended)
        stage.until(lambda: stage.whole("155.5"))
        return
    start = (later - later % HOUR, later - later % HOUR + HOUR)
    worn = {
        "kalshi": changed(created_time=text(later), ts=later // MICROS),
        "anthropic": changed(starting_at=text(start[0]), ending_at=text(start[1])),
    }
    stage.spoiled.worn["victim"] = worn[name]
    stage.arrive()
    for _ in range(3):
        stage.tick()
        assert stage.figure() == Decimal(stage.spoiled.expected.fresh)
        going_on(stage)
    healed(stage)
    stage.clock.skip(3 * 86_400)
    stage.until(lambda: stage.whole(stage.spoiled.expected.both))


def foreign(stage: Stage) -> None:
    """Play another currency: a bill in it is refused, a deal in it shown and not counted."""
    if stage.spoiled.name == "anthropic":
        refused({"anthropic": ("currency", within("cost", currency="EUR"))})(stage)
        return
    stage.spoiled.rows[:0] = []
    stage.arrive()
    stage.spoiled.rows[0] |= {"currency": "EUR"}
    stage.tick()
    assert stage.whole(stage.spoiled.expected.fresh), (stage.figure(), stage.status())
    assert stage.refused() == []
    assert stage.rows("select currency, amount from deals where id = 'victim'") == [
        ("EUR", 30 * 10**9)
    ]
    going_on(stage)
    stage.spoiled.rows[0] |= {"currency": "USD", "updated_at": text(stage.clock.now)}
    stage.until(lambda: stage.whole(stage.spoiled.expected.both))


def amount(cents: str, dollars: str | None = None) -> dict[str, Worn]:
    """Return the rows of a bill and of a deal with an amount."""
    return {
        "anthropic": within("cost", amount=cents),
        "revenue": changed(amount=dollars if dollars is not None else cents),
    }


def valued(figures: dict[str, str], worn: dict[str, Worn]) -> Play:
    """Play amounts that count as they are."""
    return taken({name: (figures[name], worn[name]) for name in figures})


def zero(stage: Stage) -> None:
    """Play nothing: no execution is of nothing, a bill and a deal may be."""
    if stage.spoiled.name == "kalshi":
        refused({"kalshi": ("count_fp", changed(count_fp="0.00"))})(stage)
    else:
        figures = dict.fromkeys(("anthropic", "revenue"), stage.spoiled.expected.fresh)
        valued(figures, amount("0.000000", "0.00"))(stage)


CASES = (
    drift(
        "missing",
        "a required field is missing",
        {
            "kalshi": ("count_fp", lacking("count_fp")),
            "anthropic": ("amount", lambda row: row | {"cost": {"currency": "USD"}}),
            "revenue": ("amount", lacking("amount")),
        },
    ),
    drift(
        "renamed",
        "a required field has another name",
        {
            "kalshi": ("yes_price_dollars", renamed("yes_price_dollars", "yes_price_fixed")),
            "anthropic": ("cost", renamed("cost", "spend")),
            "revenue": ("status", renamed("status", "state")),
        },
    ),
    drift(
        "null",
        "a required field is null",
        {
            "kalshi": ("fee_cost", changed(fee_cost=None)),
            "anthropic": ("amount", within("cost", amount=None)),
            "revenue": ("name", changed(name=None)),
        },
    ),
    drift(
        "type",
        "a field is of another type",
        {
            "kalshi": ("count_fp", changed(count_fp={"value": "3.00"})),
            "anthropic": ("amount", within("cost", amount=True)),
            "revenue": ("amount", changed(amount=["30.00"])),
        },
    ),
    drift(
        "unit",
        "a unit is another: a price in cents, a bucket of a day, a date in seconds",
        {
            "kalshi": ("yes_price_dollars", changed(yes_price_dollars="56")),
            "anthropic": ("ending_at", changed(ending_at=text(NOON - HOUR + DAY))),
            "revenue": ("updated_at", changed(updated_at=NOON // MICROS)),
        },
    ),
    Case(
        "drift-enum",
        "a word that is new: a side, a kind of token, a status",
        "kept as text where nothing depends on it (tokens); else the row is quarantined",
        SAID,
        enum,
    ),
    value(
        "negative",
        "a count below zero",
        {
            "kalshi": ("count_fp", changed(count_fp="-3.00")),
        },
        anthropic="a credit, see `value-refund`",
        revenue="a credit, see `value-refund`",
    ),
    Case(
        "value-zero",
        "zero contracts, a bill of 0, a deal of 0",
        "no execution is of nothing: quarantined; a bill and a deal of 0 count 0",
        "kalshi: an alert names the field; the others: all as ever",
        zero,
    ),
    value(
        "price",
        "a price above $1",
        {
            "kalshi": ("yes_price_dollars", changed(yes_price_dollars="1.2000")),
        },
        anthropic="it has no prices",
        revenue="it has no prices",
    ),
    value(
        "huge",
        "1e15",
        {
            "kalshi": ("count_fp", changed(count_fp="1000000000000000.00")),
            "anthropic": ("amount", within("cost", amount="1000000000000000")),
            "revenue": ("amount", changed(amount="1000000000000000")),
        },
    ),
    Case(
        "value-future",
        "a time two days ahead: of a fill, of a bucket, of a change",
        "nothing counts before its time; the true time is taken once it is told",
        "all as ever without that row",
        ahead,
    ),
    value(
        "past",
        "a date in 1970",
        {
            "kalshi": ("time", changed(created_time="1970-01-01T00:00:00Z", ts=0)),
            "anthropic": (
                "time",
                changed(starting_at="1970-01-01T00:00:00Z", ending_at="1970-01-01T01:00:00Z"),
            ),
            "revenue": ("closed_date", changed(closed_date="1970-01-01")),
        },
        lasting="anthropic",
    ),
    Case(
        "value-currency",
        "another currency",
        "a bill in it is quarantined; a deal in it is kept, shown and not counted without a rate",
        "anthropic: an alert names the field; revenue: the deal, flagged",
        foreign,
        {"kalshi": "it knows dollars alone"},
    ),
    Case(
        "value-refund",
        "an amount below zero: a credit",
        "counts as it is, on its own date",
        "all as ever",
        valued({"anthropic": "11.505", "revenue": "90.5"}, amount("-300", "-30.00")),
        NONE,
    ),
)
