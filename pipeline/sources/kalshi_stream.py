"""Kalshi's stream: fills, quotes, positions and lifecycles as they happen, beside the polls."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

import telemetry
from ledger.facts import Fill, Mark
from pipeline.sources import body, kalshi_stream_rows
from pipeline.sources.credentials import Credentials
from pipeline.sources.fields import FieldError, Fields, reject
from pipeline.sources.kalshi_pages import AHEAD, NAME
from pipeline.sources.kalshi_quotes import Quotes
from pipeline.sources.kalshi_stream_arrivals import Arrivals, Full
from pipeline.sources.kalshi_stream_door import Door
from pipeline.sources.kalshi_stream_retry import Retry, unknown
from pipeline.sources.kalshi_stream_socket import Ended, Socket
from pipeline.sources.kalshi_stream_subscriptions import Subscriptions, Unsubscribed
from pipeline.sources.kalshi_stream_witness import Witness
from pipeline.sources.source import Timepiece
from storage.facts import Page, Reject

if TYPE_CHECKING:
    from pipeline.sources.kalshi_rows import Report

ACKNOWLEDGED_SECONDS = 10.0
LOOK_SECONDS = 0.25
"""How often a quiet stream looks up: to end, or to ask for other markets."""

RENEWED_SECONDS = 2.0
"""How soon after a refusal another key, or another clock, is tried."""

ANSWERS = {"subscribed", "unsubscribed", "ok", "error"}

log = structlog.get_logger()


class Stream:
    """One account's stream; needs what REST needs, and shares its clock and its quotes.

    Rows gather in a thread of its own; whoever records what `take` returns asks `pushed` and
    `behind` what REST should read again. `watched` are the markets whose quotes it brings,
    `trouble` is why there is no stream, `rest` the seconds it last waited to open it again.
    """

    def __init__(
        self, url: str, credentials: Credentials, quotes: Quotes, timepiece: Timepiece | None = None
    ) -> None:
        """Connect to nothing yet; `url` with its path, ws or wss."""
        self._quotes = quotes
        self._timepiece = timepiece or Timepiece()
        self._door = Door(url, credentials, self._timepiece)
        self._retry = Retry()
        self._witness = Witness(self._timepiece.monotonic)
        self._arrivals = Arrivals(self._timepiece.monotonic)
        self.watched: frozenset[str] = frozenset()
        self._closing = threading.Event()
        self._behind = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._socket: Socket | None = None
        self._wake: Callable[[], None] = lambda: None
        self._readers: Mapping[str, Callable[[Fields], None]] = {
            "fill": self._filled,
            "ticker": self._quoted,
            "market_position": self._positioned,
            "market_lifecycle_v2": self._lived,
        }
        self._down: float | None = None
        self._fault: BaseException | None = None
        self.trouble = ""
        self.rest = 0.0
        self._renewable = False
        self._subscribed: frozenset[str] = frozenset()

    def open(self, wake: Callable[[], None]) -> None:
        """Begin to connect and to read; `wake` is called when something should be done at once."""
        self._wake = wake
        self._down = self._timepiece.monotonic()
        self._thread.start()

    def watch(self, tickers: frozenset[str]) -> None:
        """Ask for the quotes of these markets, and of no others."""
        self.watched = tickers

    def take(self) -> Page | None:
        """Return what came since the last call, to be recorded; None when nothing did.

        What ended the stream's thread, and is no upstream's fault, is raised.
        """
        if self._fault is not None:
            raise self._fault
        return self._arrivals.take()

    def pushed(self) -> dict[str, "Report"]:
        """Return the positions of subaccount 0 pushed since the last call, by market."""
        return self._arrivals.pushed()

    def behind(self) -> bool:
        """Tell once whether REST has to be read: after a (re)connect, after a settlement."""
        asked = self._behind.is_set()
        self._behind.clear()
        return asked

    def found(self, fills: Iterable[Fill], marks: Iterable[Mark]) -> None:
        """Hear what polls found that was new; a stream that does not tell it too is given up."""
        self._witness.found(fills, [mark for mark in marks if mark.ticker in self._subscribed])

    @property
    def traded(self) -> float | None:
        """When, monotonic, the oldest fill that waits came in; None without one."""
        return self._arrivals.traded

    @property
    def marked(self) -> bool:
        """Whether anything else waits."""
        return self._arrivals.marked

    @property
    def detail(self) -> str:
        """Return why there is no stream, "" while there is."""
        return f"{self.trouble}: polling" if self.trouble else ""

    @property
    def down_seconds(self) -> float:
        """Return for how long there has been no stream, 0.0 while there is."""
        down = self._down
        return 0.0 if down is None else self._timepiece.monotonic() - down

    def close(self) -> None:
        """End, without waiting for the exchange."""
        self._closing.set()
        if self._socket is not None:
            self._socket.abort()
        if self._thread.is_alive():
            self._thread.join(0.2)

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._connected()
                self._wait()
        except BaseException as error:  # noqa: BLE001 -- raised again by `take`, where it is heard
            self._fault = error
            self._wake()

    def _connected(self) -> None:
        """Live through one connection."""
        began = self._timepiece.monotonic()
        try:
            self._live()
        except (Ended, Unsubscribed, Full) as error:
            if not self._closing.is_set():
                self._renewable = unknown(error)
                self.rest = self._retry.after(error, began, self._timepiece.monotonic())
                self._lost(str(error))
        finally:
            self._dropped()

    def _wait(self) -> None:
        """Rest; where it was refused for who asks, no longer than until that has changed."""
        began = self._timepiece.monotonic()
        while not self._closing.is_set():
            rested = self._timepiece.monotonic() - began
            renewed = self._renewable and rested >= RENEWED_SECONDS and self._door.renewed
            if rested >= self.rest or renewed:
                return
            self._closing.wait(min(LOOK_SECONDS, self.rest - rested))

    def _live(self) -> None:
        self._socket = self._door.opened()
        subscriptions = Subscriptions()
        for command in subscriptions.opening():
            self._socket.send(command)
        patience = self._timepiece.monotonic() + ACKNOWLEDGED_SECONDS
        while not self._closing.is_set():
            message = self._socket.receive(LOOK_SECONDS)
            if message is not None:
                self._heard(message, subscriptions)
            if subscriptions.ready:
                self._granted()
                self._witness.judge()
                for command in subscriptions.watching(self.watched):
                    self._socket.send(command)
                self._subscribed = subscriptions.markets
            elif self._timepiece.monotonic() > patience:
                raise Ended("the stream did not acknowledge its subscriptions")

    def _granted(self) -> None:
        """From here on nothing passes unseen: what passed before, a poll reads."""
        if self._down is None:
            return
        self._down, self.trouble = None, ""
        self._witness.begin(self._timepiece.now())
        telemetry.STREAM_CONNECTED.set(1)
        log.info("stream connected", source=NAME)
        self._catch_up()

    def _catch_up(self) -> None:
        self._behind.set()
        self._wake()

    def _dropped(self) -> None:
        self._witness.end()
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()
        self._down = self._timepiece.monotonic() if self._down is None else self._down
        telemetry.STREAM_CONNECTED.set(0)

    def _lost(self, why: str) -> None:
        self.trouble = why
        telemetry.STREAM_RECONNECTS.inc()
        log.warning("stream lost", source=NAME, error=why, retry=round(self.rest, 1))

    def _heard(self, content: bytes, subscriptions: Subscriptions) -> None:
        try:
            message = body.parse(content)
        except body.BodyError as error:
            self._refuse(Reject(NAME, "", "message", str(error), _shown(content)))
            return
        kind = str(message.get("type")) if isinstance(message, dict) else ""
        known = kind in ANSWERS or kind in self._readers
        telemetry.STREAM_FRAMES.labels(kind if known else "other").inc()
        if kind in ANSWERS:
            self._answered(kind, message, subscriptions)
        elif known:
            self._read(kind, message.get("msg"))

    def _answered(
        self, kind: str, message: Mapping[str, Any], subscriptions: Subscriptions
    ) -> None:
        for command in subscriptions.told(kind, message):
            if self._socket is not None:
                self._socket.send(command)

    def _read(self, kind: str, row: object) -> None:
        """Read one row; one that cannot be read is put aside, the stream goes on."""
        try:
            if not isinstance(row, dict):
                raise FieldError("msg", "is no object")  # noqa: TRY301 (one way out for all)
            self._readers[kind](Fields(row))
        except FieldError as error:
            self._refuse(reject(NAME, "trade_id", row, error))

    def _refuse(self, refused: Reject) -> None:
        self._arrivals.refuse(refused)

    def _filled(self, row: Fields) -> None:
        fill = kalshi_stream_rows.fill(row, self._timepiece.now() + AHEAD)
        self._witness.told(fill.fill_id)
        self._arrivals.fill(fill)
        self._wake()

    def _quoted(self, row: Fields) -> None:
        self._witness.quoted()
        if row.text("market_ticker") in self.watched:
            quote = kalshi_stream_rows.quote(row, self._timepiece.now())
            self._marked(self._quotes.valued(quote))

    def _marked(self, mark: Mark) -> None:
        if self._quotes.moved(mark):
            self._arrivals.mark(mark)
            self._quotes.saw([mark])

    def _positioned(self, row: Fields) -> None:
        subaccount, report = kalshi_stream_rows.position(row)
        if subaccount == 0:
            self._arrivals.push(report)

    def _lived(self, row: Fields) -> None:
        """Take note of the end of a market that is held; the channel tells of every market."""
        event, ticker = row.text("event_type", ""), row.text("market_ticker", "")
        if ticker not in self.watched:
            return
        if event == "determined":
            self._determined(ticker, kalshi_stream_rows.determined(row))
        elif event == "settled":
            self._catch_up()

    def _determined(self, ticker: str, value: int | None) -> None:
        known = self._quotes.of(ticker) or Mark(ticker, 0, None, None, None)
        now = self._timepiece.now()
        if value is None:
            self._catch_up()
        else:
            self._marked(replace(known, time=now, value=value))


def _shown(content: bytes) -> str:
    return content[:4096].decode("utf-8", "backslashreplace")
