"""HubSpot: a firm's deals, searched by what changed, listed whole each night."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from ledger import moment
from pipeline.sources import hubspot_portal, hubspot_rows, hubspot_search
from pipeline.sources.breaker import Breaker, counted
from pipeline.sources.budget import Budget
from pipeline.sources.client import Broken, Client, Declined
from pipeline.sources.credentials import Token
from pipeline.sources.fields import FieldError, Fields, collect
from pipeline.sources.hubspot_portal import VERSION, Portal
from pipeline.sources.hubspot_rows import NAME, Reading
from pipeline.sources.hubspot_search import Place
from pipeline.sources.hubspot_stages import StageMap
from pipeline.sources.paging import Batch, Trail
from pipeline.sources.source import Deadline, Held, Timepiece
from storage.facts import Page

URL = "https://api.hubapi.com"
OVERLAP = 10 * moment.MINUTE
"""How far back a search begins: what changed can be found only some seconds later."""

LIST_LIMIT = "100"
REQUESTS = 5.0
"""Requests a second that an account's search allows."""

PAGE_SECONDS = 20.0
RESERVE_SECONDS = 1.0
LIVE, ARCHIVED = "live:", "archived:"
"""The two lists of all deals, before the `after` of a page."""

_MS = 1_000


class HubSpot:
    """One HubSpot account's deals.

    The cursor's `head` is how far changes are read (ms), `seek` where a search broke off, `list`
    and `bin` where the whole list and the archived one are read on, `listed_at` when the whole
    list was read last (µs). `reading` is the digest of how rows were understood, and `floor` (µs)
    since when: with another stage map every deal is a newer version of itself.
    A deal leaves by being archived; one that is missing from a complete list stays as it is.
    """

    name = NAME

    def __init__(  # noqa: PLR0913 (each is a setting of its own)
        self,
        url: str,
        token: str,
        stages: StageMap,
        *,
        cadence: float = 60.0,
        version: str = VERSION,
        timepiece: Timepiece | None = None,
        reload: Callable[[], str | None] | None = None,
    ) -> None:
        """Read `url`, HubSpot's root, by a service key that may read deals."""
        self.cadence = cadence
        self._version = version
        self._stages = stages
        self._timepiece = timepiece or Timepiece()
        credentials = Token("Authorization", token, "Bearer ", reload)
        budget = Budget(REQUESTS, REQUESTS, 1.0, self._timepiece)
        self._client = Client(url, credentials, self._timepiece, budget)
        self._portal: Portal | None = None
        self._portal_at = 0
        self._trails: dict[str, Trail] = {}

    @property
    def breaker(self) -> Breaker:
        """Return the breaker of its requests."""
        return self._client.signed

    @property
    def detail(self) -> str:
        """Return what is not known of the account, "" mostly."""
        return self._portal.note if self._portal else ""

    @counted
    def history(self, cursor: Mapping[str, str]) -> Iterator[Page]:
        """Yield every deal, then every archived one."""
        if cursor.get("complete") == "1":
            return
        began = cursor.get("began") or str(self._timepiece.now() // _MS)
        reading = self._read_as(cursor, self._page_deadline())
        alike = cursor.get("reading") in (None, reading.digest)
        place = (cursor.get("list") if alike else "") or LIVE
        while place:
            page, place = self._everything(place, reading, self._page_deadline(), self._trails)
            done = {} if place else self._done(began)
            yield replace(page, cursor={"list": place, "began": began, **_kept(reading), **done})

    @counted
    def poll(self, cursor: Mapping[str, str], held: Held, deadline: Deadline) -> Iterator[Page]:
        """Yield what changed, what was archived, and once a day everything."""
        reading = self._read_as(cursor, deadline)
        memory = dict(cursor)
        if memory.get("reading") != reading.digest:
            memory |= _kept(reading) | {"listed_at": "0", "list": LIVE}
            yield Page(NAME, cursor=_kept(reading) | {"listed_at": "0", "list": LIVE})

        def room() -> bool:
            return deadline.remaining() > RESERVE_SECONDS

        yield from self._changes(memory, reading, deadline, room)
        yield from self._onward(memory, "bin", ARCHIVED, reading, deadline, room)
        if held.now - int(memory.get("listed_at") or 0) > moment.DAY:
            yield from self._onward(memory, "list", LIVE, reading, deadline, room)

    def listing(self, deadline: Deadline) -> Iterator[Page]:
        """Yield every deal as it stands, without a cursor: to reconcile, not to book."""
        reading, place, trails = self._read_as({}, deadline), LIVE, dict[str, Trail]()
        while place:
            page, place = self._everything(place, reading, deadline, trails)
            yield page

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _changes(
        self,
        memory: Mapping[str, str],
        reading: Reading,
        deadline: Deadline,
        room: Callable[[], bool],
    ) -> Iterator[Page]:
        """Yield what changed since the head; a search without room goes on with the next poll."""
        head = int(memory.get("head") or 0)
        first = Place.of(memory.get("seek", "")) or Place(max(0, head - OVERLAP // _MS))
        path = f"/crm/objects/{self._version}/deals/search"
        ask = partial(self._client.post, path, deadline=deadline)
        newest = max(head, first.since)
        for found, place in hubspot_search.walk(ask, first, self._properties(), room):
            newest = max(newest, place.since if place else _newest(found, newest))
            ended = {"seek": "", "head": str(min(newest, found.clock // _MS))}
            kept = {"seek": str(place)} if place else ended
            yield replace(self._page(found, reading, deadline), cursor=kept)

    def _onward(  # noqa: PLR0913, PLR0917 (one step of a poll)
        self,
        memory: Mapping[str, str],
        name: str,
        which: str,
        reading: Reading,
        deadline: Deadline,
        room: Callable[[], bool],
    ) -> Iterator[Page]:
        """Yield the pages of a list from where the last poll left it, while there is room."""
        place = memory.get(name) or which
        while place and room():
            page, place = self._listed(place, reading, deadline, self._trails)
            listed = {} if place or name != "list" else {"listed_at": str(self._timepiece.now())}
            yield replace(page, cursor={name: place, **listed})

    def _everything(
        self, place: str, reading: Reading, deadline: Deadline, trails: dict[str, Trail]
    ) -> tuple[Page, str]:
        """Return a page of all deals and the place after it: the archived ones come last."""
        page, following = self._listed(place, reading, deadline, trails)
        return page, following or (ARCHIVED if place.startswith(LIVE) else "")

    def _listed(
        self, place: str, reading: Reading, deadline: Deadline, trails: dict[str, Trail]
    ) -> tuple[Page, str]:
        """Return a page of one list and the place after it, "" at its end."""
        which, _, after = place.partition(":")
        found = self._list(which, after, deadline)
        if not after or which not in trails:
            trails[which] = Trail(after)
        trails[which].passed(found)
        return self._page(found, reading, deadline), f"{which}:{found.next}" if found.next else ""

    def _list(self, which: str, after: str, deadline: Deadline) -> Batch:
        params = [
            ("limit", LIST_LIMIT),
            ("properties", ",".join(self._properties())),
            ("archived", str(f"{which}:" == ARCHIVED).lower()),
            *([("after", after)] if after else []),
        ]
        path = f"/crm/objects/{self._version}/deals"
        try:
            return hubspot_search.page(self._client.get(path, params, deadline=deadline))
        except Declined:
            if not after:
                raise
            return self._list(which, "", deadline)  # a place of long ago is known no more

    def _page(self, found: Batch, reading: Reading, deadline: Deadline) -> Page:
        old = self._timepiece.now() - self._portal_at > moment.MINUTE
        if old and any(_strange(row, reading) for row in found.rows):
            reading = replace(reading, portal=self._portal_read(deadline))
        read = partial(hubspot_rows.deal, reading=reading)
        deals, rejects = collect(NAME, "id", found.rows, read)
        return Page(NAME, deals, rejects=rejects)

    def _read_as(self, cursor: Mapping[str, str], deadline: Deadline) -> Reading:
        """Return how rows are understood now, and since when that is so."""
        now = self._timepiece.now()
        if self._portal is None or now - self._portal_at > moment.HOUR:
            self._portal_read(deadline)
        if self._portal is None:
            raise Broken("the account's set-up was not read")
        reading = Reading(self._stages, self._portal)
        known = cursor.get("reading")
        if known is None:
            return reading
        same = known == reading.digest
        floor = int(cursor.get("floor") or 0) if same else self._portal.sent
        return replace(reading, floor=floor)

    def _portal_read(self, deadline: Deadline) -> Portal:
        self._portal = hubspot_portal.read(self._client, deadline, self._version)
        self._portal_at = self._timepiece.now()
        return self._portal

    def _properties(self) -> tuple[str, ...]:
        return (*hubspot_rows.PROPERTIES, *self._stages.properties)

    def _done(self, began: str) -> dict[str, str]:
        return {"complete": "1", "head": began, "listed_at": str(self._timepiece.now())}

    def _page_deadline(self) -> Deadline:
        return Deadline.after(PAGE_SECONDS, self._timepiece.monotonic)


def _kept(reading: Reading) -> dict[str, str]:
    return {"reading": reading.digest, "floor": str(reading.floor)}


def _newest(found: Batch, least: int) -> int:
    newest = least
    for row in found.rows:
        with suppress(FieldError):  # the row itself is refused where it is read
            newest = max(
                newest, hubspot_rows.modified(Fields(row if isinstance(row, dict) else {}))
            )
    return newest


def _strange(row: object, reading: Reading) -> bool:
    """Whether a row names a stage that is newer than what is known of the account."""
    told = row.get("properties") if isinstance(row, dict) else None
    name = told.get("dealstage") if isinstance(told, dict) else None
    return bool(name) and name not in reading.portal.stages and name not in reading.stages.statuses
