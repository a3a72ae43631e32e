"""One organization at Anthropic: how it is asked, who it is, what its ids are called."""

import json
import re
from collections.abc import Iterator

from ledger import moment
from pipeline.sources.client import (
    Answer,
    Broken,
    Client,
    Declined,
    Missing,
    Params,
    Refused,
    SourceError,
    Throttled,
)
from pipeline.sources.fields import FieldError, Fields
from pipeline.sources.paging import Batch, batch, follow
from pipeline.sources.source import Deadline, Timepiece
from storage.facts import Name

VERSION = "2023-06-01"
ME = "/v1/organizations/me"
WORKSPACES = "/v1/organizations/workspaces"
API_KEYS = "/v1/organizations/api_keys"

CAPPED_SECONDS = 900.0
"""How long nothing is asked of an organization whose spend limit is reached: days may pass."""

NOT_OURS = {403, 404}
"""What says that this key may not, or this account has none of it; no failure of the source."""

_CAP = re.compile(r"spend|usage limit|billing|credit balance", re.IGNORECASE)
_ARCHIVED = ("include_archived", "true")
_WISHES: tuple[Params, ...] = ((_ARCHIVED, ("include_default", "true")), (_ARCHIVED,), ())
"""What is asked of the list of workspaces; an account that knows less declines the first."""


class Organization:
    """Requests in the organization's name; errors carry the provider's request id."""

    def __init__(self, client: Client, timepiece: Timepiece) -> None:
        """Ask through `client`."""
        self._client = client
        self._timepiece = timepiece
        self._capped_until = 0.0
        self._capped = ""

    def get(self, path: str, params: Params, deadline: Deadline, *betas: str) -> Answer:
        """Return the answer; raise the client's SourceError, or at once while the cap holds."""
        left = self._capped_until - self._timepiece.monotonic()
        if left > 0:
            raise Throttled(self._capped, 429, wait=left)
        beta = {"anthropic-beta": ",".join(betas)} if betas else {}
        headers = {"anthropic-version": VERSION, **beta}
        try:
            return self._client.get(path, params, deadline=deadline, headers=headers)
        except SourceError as error:
            self._told(error)
            raise

    def identity(self, deadline: Deadline) -> str:
        """Return the organization's own id, "" when this key may not know it."""
        try:
            return Fields(self._object(ME, deadline)).text("id", "")
        except (Refused, Missing) as error:
            if error.status not in NOT_OURS:
                raise
        except FieldError:
            pass
        return ""

    def names(self, deadline: Deadline) -> tuple[Name, ...]:
        """Return the names of workspaces and keys; of what this key may not list, none."""
        lists = (("workspace", WORKSPACES, _WISHES), ("api_key", API_KEYS, ((),)))
        return tuple(
            name
            for kind, path, wishes in lists
            for name in self._listed(kind, path, wishes, deadline)
        )

    def _listed(
        self, kind: str, path: str, wishes: tuple[Params, ...], deadline: Deadline
    ) -> list[Name]:
        for wish in wishes:
            try:
                return list(self._every(kind, path, wish, deadline))
            except Declined:
                continue
            except (Refused, Missing) as error:
                if error.status not in NOT_OURS:
                    raise
                break
        return []

    def _every(self, kind: str, path: str, wish: Params, deadline: Deadline) -> Iterator[Name]:
        def read(cursor: str) -> Batch:
            after = [("after_id", cursor)] if cursor else []
            answer = self.get(path, [("limit", "1000"), *wish, *after], deadline)
            page = batch(answer, "data", "last_id")
            return page if answer.body.get("has_more") else Batch(page.rows, "", page.received)

        for page in follow(read):
            for row in page.rows:
                yield from _named(kind, row)

    def _object(self, path: str, deadline: Deadline) -> dict[str, object]:
        body = self.get(path, (), deadline).body
        if not isinstance(body, dict):
            raise Broken(f"GET {path} was answered with no object", 200)
        return body

    def _told(self, error: SourceError) -> None:
        """Add the request id to the sentence, and note a spend limit: it lasts for days."""
        request = _request_id(error.body)
        if request:
            error.args = (f"{error} ({request})",)
        capped = error.status == 402 or isinstance(error, Throttled)  # noqa: PLR2004 (HTTP's)
        if capped and _CAP.search(error.body):
            self._capped = str(error)
            self._capped_until = self._timepiece.monotonic() + CAPPED_SECONDS


def query_text(instant: int) -> str:
    """Return an instant as every report takes it, to the second."""
    return moment.aware(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def _named(kind: str, row: object) -> Iterator[Name]:
    """Yield the name a row gives; a row without one leaves its id to be shown."""
    if isinstance(row, dict):
        fields = Fields(row)
        try:
            yield Name(kind, fields.text("id"), fields.text("name"))
        except FieldError:
            return


def _request_id(body: str) -> str:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    named = content.get("request_id") if isinstance(content, dict) else None
    return named if isinstance(named, str) else ""
