"""Kalshi's lists when paging breaks, shifts or is archived meanwhile: nothing is lost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from ledger import moment
from ledger.facts import Fill, Settlement
from ledger.moment import DAY, MICROS, MINUTE
from pipeline.sources.client import Behind, Broken, Client, SourceError, TimedOut
from pipeline.sources.credentials import Token
from pipeline.sources.kalshi import Kalshi
from pipeline.sources.kalshi_exchange import FILLS as FILLED
from pipeline.sources.kalshi_exchange import Exchange
from pipeline.sources.kalshi_lists import Lists
from pipeline.sources.source import Deadline, Held
from storage.facts import Page
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.kalshi_upstream import (
    Row,
    account,
    fill_row,
    settlement_row,
    since,
)
from tests.pipeline.sources.upstream import Reply, Request, Upstream

FIVE = [fill_row(n) for n in range(5)]
FILLS = "/portfolio/fills"
HISTORICAL = "/historical/fills"


@dataclass
class Book:
    """What a reader of the source has recorded, its cursor and its polls ten seconds apart."""

    source: Kalshi
    hands: Hands
    cursor: dict[str, str] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    ends: list[Settlement] = field(default_factory=list)
    rejects: list[str] = field(default_factory=list)
    error: SourceError | None = None

    def take(self, pages: Iterator[Page]) -> None:
        """Record pages until they end or fail."""
        self.error = None
        try:
            for page in pages:
                self.fills |= {fact.fill_id: fact for fact in page.facts if isinstance(fact, Fill)}
                self.ends += [fact for fact in page.facts if isinstance(fact, Settlement)]
                self.rejects += [f"{r.identity}: {r.field} {r.reason}" for r in page.rejects]
                self.cursor |= page.cursor
        except SourceError as error:
            self.error = error

    def history(self) -> None:
        """Import, or go on with it."""
        self.take(self.source.history(self.cursor))

    def poll(self, seconds: float = 3.0) -> None:
        """Poll once."""
        self.hands.sleep(10.0)
        held = Held(now=self.hands.now())
        self.take(self.source.poll(dict(self.cursor), held, self.hands.deadline(seconds)))

    @property
    def ids(self) -> set[str]:
        """The fills that are known."""
        return set(self.fills)


@pytest.fixture
def book(exchange: Upstream, pem: str, hands: Hands) -> Iterator[Book]:
    source = Kalshi(exchange.url, "key id", pem, timepiece=hands.timepiece())
    yield Book(source, hands)
    source.close()


def ids(rows: Sequence[Row]) -> set[str]:
    return {row["fill_id"] for row in rows}


def cut(*pages: tuple[list[Row], str]) -> Callable[[Request], Reply]:
    """Answer pages by their number in the cursor."""

    def answer(request: Request) -> Reply:
        rows, following = pages[int(request.arg("cursor") or 0)]
        return Reply({"fills": rows, "cursor": following})

    return answer


BROKEN = {
    "a loop": ([([FIVE[0]], "1"), ([FIVE[1]], "2"), ([FIVE[2]], "1")], "circle"),
    "a page again": ([([FIVE[0]], "1"), ([FIVE[1]], "2"), ([FIVE[1]], "3"), ([], "")], "repeats"),
    "the first page again": ([(FIVE[:2], "1"), (FIVE[:2], "2"), (FIVE[2:], "")], "repeats"),
    "empty for ever": ([([FIVE[0]], "1"), *[([], str(n)) for n in range(2, 40)]], "empty pages"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_pages_that_lead_nowhere_fail_and_move_no_head(
    book: Book, exchange: Upstream, case: str
) -> None:
    pages, said = BROKEN[case]
    account(exchange)
    exchange.on(FILLS, cut(*pages))
    book.cursor = {"fills_head": "1000000"}
    book.poll()
    assert isinstance(book.error, Broken)
    assert said in str(book.error)
    assert book.cursor["fills_head"] == "1000000"
    assert FIVE[0]["fill_id"] in book.ids


@pytest.mark.parametrize("case", BROKEN)
def test_an_import_whose_pages_lead_nowhere_is_never_complete(
    book: Book, exchange: Upstream, case: str
) -> None:
    pages, _ = BROKEN[case]
    account(exchange)
    exchange.on(FILLS, cut(*pages))
    book.history()
    assert isinstance(book.error, Broken)
    assert "complete" not in book.cursor
    account(exchange, fills=FIVE)
    book.history()
    assert book.cursor["complete"] == "1"
    assert book.ids == ids(FIVE)


@pytest.mark.parametrize("case", BROKEN)
def test_a_re_read_whose_pages_lead_nowhere_fails_too(
    book: Book, exchange: Upstream, case: str
) -> None:
    pages, said = BROKEN[case]
    account(exchange)
    book.cursor = {"complete": "1", "fills_head": str(NOON), "cutoff": "1"}
    exchange.on(FILLS, Reply({"fills": [], "cursor": ""}), cut(*pages))
    while book.error is None:
        book.poll()
    assert isinstance(book.error, Broken)
    assert said in str(book.error)


def test_a_few_empty_pages_are_a_filter_and_no_end(book: Book, exchange: Upstream) -> None:
    account(exchange)
    exchange.on(FILLS, cut(([FIVE[0]], "1"), ([], "2"), ([], "3"), ([FIVE[1]], "")))
    book.cursor = {"fills_head": "1000000"}
    book.poll()
    assert book.error is None
    assert book.ids == ids(FIVE[:2])


class Shifting:
    """A list by offset, newest first, into which rows come at the top while it is paged."""

    def __init__(self, rows: Sequence[Row], size: int, new: Sequence[Row], often: int) -> None:
        """Push one of `new` in after each answer, `often` times a page."""
        self.rows, self.size, self.new, self.often = list(rows), size, list(new), often

    def __call__(self, request: Request) -> Reply:
        start = int(request.arg("cursor") or 0)
        page = self.rows[start : start + self.size]
        end = start + self.size
        following = str(end) if end < len(self.rows) else ""
        for _ in range(self.often):
            self.rows[:0] = [self.new.pop()] if self.new else []
        return Reply({"fills": page, "cursor": following})


@pytest.mark.parametrize("often", [1, 2])
def test_a_list_that_shifts_while_it_is_paged_loses_nothing(
    book: Book, exchange: Upstream, often: int
) -> None:
    """Rows pushed over the boundary come twice; those that came on top are in the next tail."""
    old = [fill_row(n) for n in range(10, 30)]
    new = [fill_row(n) for n in range(4)]
    shifting = Shifting(old, 3, new, often)
    account(exchange)
    exchange.on(FILLS, shifting)
    book.cursor = {"fills_head": "1000000"}
    book.poll()
    assert book.error is None
    assert book.ids >= ids(old)
    book.poll()
    assert book.ids == ids([*old, *new])


def test_ties_at_the_boundary_and_at_the_head_are_all_there(book: Book, exchange: Upstream) -> None:
    """Nine fills of one instant over pages of two; another of that instant comes late."""
    ties = [fill_row(0, fill_id=f"tie-{n}") for n in range(9)]
    account(exchange, fills=ties)
    book.cursor = {"fills_head": str(NOON - MINUTE)}
    book.poll()
    late = fill_row(0, fill_id="tie-late")
    account(exchange, fills=[*ties, late])
    book.poll()
    assert book.ids == ids([*ties, late])


def test_a_garbage_cursor_answered_by_the_first_page_loses_nothing(
    book: Book, exchange: Upstream
) -> None:
    """Kalshi takes a cursor it does not know for none, and says nothing."""
    account(exchange, fills=FIVE)
    live = since("fills", FIVE, 2)

    def forgiving(request: Request) -> Reply:
        known = request.arg("cursor").isdecimal()
        return live(request if known else Request(request.path, (), {}, 0))

    exchange.on(FILLS, forgiving)
    book.cursor = {"stage": "fills", "page": "from another life", "fills_head": "1000000"}
    book.history()
    assert (book.error, book.ids) == (None, ids(FIVE))


@pytest.fixture
def lists(exchange: Upstream, hands: Hands) -> Iterator[Lists]:
    client = Client(exchange.url, Token("key", ""), hands.timepiece())
    yield Lists(Exchange(client), hands.timepiece(), lambda _: True)
    client.close()


def tail(lists: Lists, book: Book) -> None:
    """Read the tail of the fills, nothing beside it."""
    book.hands.sleep(10.0)
    held = Held(now=book.hands.now())
    book.take(lists.tail(FILLED, dict(book.cursor), held, book.hands.deadline()))


def dragging(hands: Hands, rows: list[Row]) -> Callable[[Request], Reply]:
    """Answer a page of two in 0.9 s."""

    def answer(request: Request) -> Reply:
        hands.seconds += 0.9
        return since("fills", rows, 2)(request)

    return answer


def test_a_long_backlog_is_read_over_several_polls(
    lists: Lists, book: Book, exchange: Upstream, hands: Hands
) -> None:
    """A poll has time for three pages of ten: the next one goes on where it ended."""
    rows = [fill_row(n) for n in range(20)]
    exchange.on(FILLS, dragging(hands, rows))
    book.cursor = {"fills_head": "1000000"}
    tail(lists, book)
    while book.error is not None:
        assert isinstance(book.error, Behind)
        assert book.cursor["fills_head"] == "1000000"
        tail(lists, book)
    assert book.ids == ids(rows)
    assert book.cursor["fills_head"] == str(NOON)
    assert len(exchange.asked(FILLS)) <= 18


def test_what_comes_while_a_backlog_is_read_is_read_after_it(
    lists: Lists, book: Book, exchange: Upstream, hands: Hands
) -> None:
    """More than a page of new fills comes between two polls of one backlog."""
    rows = [fill_row(n) for n in range(12)]
    exchange.on(FILLS, dragging(hands, rows))
    book.cursor = {"fills_head": "1000000"}
    tail(lists, book)
    new = [fill_row(0, fill_id=f"new-{n}", created_time=at(hands, n)) for n in range(7)]
    exchange.on(FILLS, dragging(hands, [*new, *rows]))
    for _ in range(2):
        while book.error is not None:
            tail(lists, book)
        tail(lists, book)
    assert book.ids == ids([*new, *rows])


def at(hands: Hands, number: int) -> str:
    """Return an instant some milliseconds ago."""
    return moment.text(hands.now() - number * 1_000)


def test_what_the_cutoff_overtakes_during_the_import_is_read_as_historical(
    book: Book, exchange: Upstream
) -> None:
    """After the first live page, fills 3 and 4 leave the live list for the archive."""
    state = {"live": list(FIVE), "old": list[Row]()}

    def live(request: Request) -> Reply:
        reply = since("fills", state["live"], 2)(request)
        state["live"], state["old"] = FIVE[:3], FIVE[3:]
        return reply

    account(exchange)
    exchange.on(FILLS, live)
    exchange.on(HISTORICAL, lambda asked: since("fills", state["old"], 2)(asked))  # noqa: PLW0108 (it moves)
    book.history()
    assert (book.error, book.ids) == (None, ids(FIVE))


def test_a_fill_that_was_in_neither_list_for_a_moment_is_found(
    book: Book, exchange: Upstream, hands: Hands
) -> None:
    """It had left the live list during the import and reached the archive only after it."""
    day = {"trades_created_ts": moment.text(NOON - 3 * MINUTE)}
    account(exchange, fills=FIVE[:3], historical=FIVE[4:])
    exchange.on("/historical/cutoff", Reply(day))
    book.history()
    assert book.ids == ids(FIVE) - {"fill-3"}
    account(exchange, fills=FIVE[:3], historical=FIVE[3:])
    exchange.on("/historical/cutoff", Reply(day))
    hands.sleep(3_600.0)
    book.poll()
    assert book.ids == ids(FIVE)


def test_what_the_cutoff_overtook_while_nobody_read_is_found_in_the_archive(
    book: Book, exchange: Upstream
) -> None:
    """Off for a hundred days: the fills of that time are live no more."""
    away = [fill_row(days * 1_440, fill_id=f"away-{days}") for days in range(1, 100, 7)]
    live, old = away[:12], away[12:]
    account(exchange, fills=live, historical=old, size=50)
    head = str(NOON - 100 * DAY)
    book.cursor = {"complete": "1", "fills_head": head, "cutoff": str(NOON - 190 * DAY)}
    book.poll()
    assert (book.error, book.ids) == (None, ids(away))
    first = exchange.asked(HISTORICAL)[0]
    assert first.arg("min_ts") == str((NOON - 191 * DAY) // MICROS)


def test_an_archive_read_that_broke_off_does_not_move_the_cutoff(
    book: Book, exchange: Upstream
) -> None:
    account(exchange)
    old = [fill_row(n) for n in range(200_000, 200_006)]
    broken = since("fills", old, 2)

    def breaking(request: Request) -> Reply:
        return Reply({}, 500) if request.arg("cursor") == "4" else broken(request)

    exchange.on(HISTORICAL, breaking)
    book.cursor = {"complete": "1", "fills_head": str(NOON), "cutoff": "1"}
    book.poll()
    assert isinstance(book.error, Broken)
    assert book.cursor["cutoff"] == "1"
    exchange.on(HISTORICAL, broken)
    book.poll()
    assert (book.error, book.ids) == (None, ids(old))
    assert int(book.cursor["cutoff"]) > 1


def test_a_cutoff_nobody_tells_fails_no_import(book: Book, exchange: Upstream) -> None:
    """Then everything counts as archive, and is read as such once somebody does."""
    account(exchange, fills=FIVE[:2], historical=FIVE[2:4])
    exchange.on("/historical/cutoff", Reply({}, 503))
    book.history()
    assert (book.error, book.ids, book.cursor["cutoff"]) == (None, ids(FIVE[:4]), "")
    account(exchange, fills=FIVE[:2], historical=FIVE[2:])
    book.hands.sleep(3_600.0)
    book.poll()
    assert book.ids == ids(FIVE)
    assert exchange.asked(HISTORICAL)[-1].arg("min_ts") == ""


def test_a_fill_of_the_future_waits_until_its_time_has_come(
    book: Book, exchange: Upstream, hands: Hands
) -> None:
    """Ten minutes ahead of both clocks: refused by its field, accepted when delivered then."""
    ahead = fill_row(-10, fill_id="ahead")
    account(exchange, fills=[ahead, FIVE[0]])
    dated = since("fills", [ahead, FIVE[0]], 9)
    date = {"Date": "Fri, 20 Nov 2026 12:00:00 GMT"}

    def answer(request: Request) -> Reply:
        return Reply(dated(request).body, headers=date)

    exchange.on(FILLS, answer)
    book.cursor = {"fills_head": "1000000"}
    book.poll()
    assert book.ids == {"fill-0"}
    assert book.rejects == [
        "ahead: created_time is in the future: 2026-11-20T12:10:00.000000Z",
    ]
    hands.sleep(300.0)
    book.poll()
    assert book.ids == {"ahead", "fill-0"}


def test_a_clock_of_ours_that_is_slow_makes_no_fill_one_of_the_future(
    book: Book, exchange: Upstream
) -> None:
    ahead = fill_row(-10, fill_id="ahead")
    dated = since("fills", [ahead], 9)
    account(exchange)
    date = {"Date": "Fri, 20 Nov 2026 12:10:00 GMT"}
    exchange.on(FILLS, lambda request: Reply(dated(request).body, headers=date))
    book.cursor = {"fills_head": "1000000"}
    book.poll()
    assert (book.ids, book.rejects) == ({"ahead"}, [])


def test_a_re_read_that_broke_off_goes_on_at_its_page(
    lists: Lists, book: Book, exchange: Upstream, hands: Hands
) -> None:
    ends = [settlement_row(ticker=f"M{n}") for n in range(10)]
    account(exchange)
    answers = since("settlements", ends, 2)

    def dragging_too(request: Request) -> Reply:
        hands.seconds += 0.9
        return answers(request)

    exchange.on("/portfolio/settlements", dragging_too)
    for _ in range(5):
        hands.sleep(10.0)
        book.take(lists.swept({"cutoff": "1"}, hands.now(), hands.deadline()))
        assert book.error is None
    assert {end.ticker for end in book.ends} == {f"M{n}" for n in range(10)}


def test_settlements_have_no_historical_twin(book: Book, exchange: Upstream) -> None:
    """A market settled long before the cutoff is in the one list there is."""
    end = settlement_row(settled_time=moment.text(NOON - 400 * DAY))
    account(exchange, settlements=[end])
    book.history()
    assert [each.ticker for each in book.ends] == [end["ticker"]]
    assert not exchange.asked("/historical/settlements")


def test_a_deadline_is_kept_by_a_re_read(book: Book, exchange: Upstream) -> None:
    account(exchange, fills=FIVE)
    with pytest.raises(TimedOut):
        list(book.source.reread({FIVE[0]["ticker"]}, Deadline.after(0.0)))
