"""One upstream over HTTP: bounded, strict, and plain about what went wrong."""

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from pipeline.sources import body, transport
from pipeline.sources.backoff import Backoff, date, retry_after
from pipeline.sources.breaker import Breaker
from pipeline.sources.budget import Budget
from pipeline.sources.credentials import Credentials
from pipeline.sources.failure import (
    Behind,
    Broken,
    CutOff,
    Declined,
    Missing,
    Refused,
    Resting,
    Skewed,
    SourceError,
    Throttled,
    TimedOut,
    Unreachable,
    kind_of,
)
from pipeline.sources.source import Deadline, Timepiece

__all__ = [
    "Answer",
    "Behind",
    "Broken",
    "Client",
    "CutOff",
    "Declined",
    "Missing",
    "Params",
    "Refused",
    "Resting",
    "Skewed",
    "SourceError",
    "Throttled",
    "TimedOut",
    "Unreachable",
    "retry_after",
]

AGENT = "NorthStar/0.1"
TRIES = 4
SHOWN = 200
"""Characters of an error's own words in our sentence."""

Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A strict JSON body, when it was received, and when it was sent by the upstream's clock (µs).

    `sent` is `received` where the upstream does not say; `etag` names this version of the answer.
    The body is None when it was asked for with `If-None-Match` and is that version still.
    """

    body: Any
    received: int
    sent: int = 0
    etag: str = ""


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    params: Params
    deadline: Deadline
    signed: bool
    headers: Mapping[str, str]
    content: bytes | None = None

    @property
    def named(self) -> str:
        return f"{self.method} {self.path}"


class Client:
    """Requests to one upstream; the credentials never leave for another host.

    `url` is the prefix of every path. One request is tried once more when its connection breaks,
    when the clock was set or the key replaced after a 401, and after a 429 as often as the
    deadline allows. `signed` and `public` are the breakers of requests with and without
    credentials: whoever polls tells them how the poll ended.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        timepiece: Timepiece,
        budget: Budget | None = None,
    ) -> None:
        """Open no connection yet."""
        self._url = url.rstrip("/")
        self._prefix = urlsplit(self._url).path
        self._credentials = credentials
        self._timepiece = timepiece
        self._budget = budget
        self._backoff = Backoff(timepiece)
        self.signed = Breaker("the account is", timepiece)
        self.public = Breaker("public data is", timepiece)
        self._session = requests.Session()
        self._session.trust_env = False  # a .netrc or proxy of the machine gets no credentials
        self._session.headers.update({"User-Agent": AGENT, "Accept-Encoding": "gzip"})
        self._session.headers["Accept"] = "application/json"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, transport.BoundAdapter())

    def get(
        self,
        path: str,
        params: Params = (),
        *,
        deadline: Deadline,
        signed: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer by the deadline, or raise the SourceError that says why not."""
        return self._asked(_Request("GET", path, params, deadline, signed, headers or {}))

    def post(self, path: str, content: bytes, *, deadline: Deadline) -> Answer:
        """Return the answer to a question in JSON, as `get` does; it may be asked twice."""
        headers = {"Content-Type": "application/json"}
        return self._asked(_Request("POST", path, (), deadline, True, headers, content))  # noqa: FBT003 (a record)

    def _asked(self, request: _Request) -> Answer:
        breaker = self.signed if request.signed else self.public
        try:
            with breaker.asking(request.deadline):
                return self._tried(request)
        except SourceError as error:
            error.signed = request.signed
            raise

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def _tried(self, request: _Request) -> Answer:
        spent: set[type[SourceError]] = set()
        throttled = 0
        while throttled < TRIES:
            version = self._credentials.version
            try:
                return self._once(request)
            except CutOff as error:
                _spend(spent, error)
            except (Refused, Skewed) as error:
                _spend(spent, error)
                if not request.signed or not self._credentials.renewed(error.body, version):
                    raise self._explained(error) from None
            except Throttled as error:
                throttled += 1
                if error.wait is None or error.wait >= request.deadline.remaining():
                    raise
        raise Throttled(f"{request.named} was answered 429 {TRIES} times", 429)

    def _once(self, request: _Request) -> Answer:
        path, named, deadline = request.path, request.named, request.deadline
        if self._budget and not self._budget.take(deadline, path):
            raise Throttled(f"{named} had no room in our own request budget")
        with self._backoff.turn(named, deadline), self._told(named, deadline):
            signed = request.signed
            route = self._prefix + path
            own = self._credentials.headers(request.method, route) if signed else {}
            left = deadline.remaining()
            if not left:
                raise Behind(f"{named} was not asked: the deadline passed")
            with transport.within(deadline):
                response = self._session.request(
                    request.method,
                    self._url + path,
                    params=list(request.params),
                    data=request.content,
                    headers={**request.headers, **own},
                    timeout=(left, left),
                    allow_redirects=False,
                    stream=True,
                )
                with closing(response):
                    return self._answer(request, response)

    def _answer(self, request: _Request, response: requests.Response) -> Answer:
        now, sent = self._timepiece.now(), date(response.headers.get("Date", ""))
        if sent is not None:
            self._credentials.observe(sent, now)
        same = response.status_code == requests.codes.not_modified
        if response.status_code != requests.codes.ok and not (same and _conditional(request)):
            raise self._failure(request.named, response)
        try:
            content = None if same else body.parse(body.read(response))
        except body.BodyError as error:
            raise Broken(f"{request.named} was answered 200, but {error}", 200) from error
        if self._budget:
            self._budget.answered()
        received = self._timepiece.now()
        etag = response.headers.get("ETag", "")
        return Answer(content, received, received if sent is None else sent, etag)

    def _failure(self, named: str, response: requests.Response) -> SourceError:
        status = response.status_code
        shown = self._credentials.blanked(body.excerpt(response))
        sentence = f"{named} was answered {status}"
        if 300 <= status < 400:  # noqa: PLR2004 (HTTP's own classes)
            return Broken(f"{sentence}: a redirect, which is never followed", status, shown)
        kind = kind_of(status)
        if kind is Throttled and self._budget:
            self._budget.dry(first=not self._backoff.streak)
        if kind is Refused and self._credentials.outdated(shown):
            kind = Skewed
        wait = retry_after(response.headers.get("Retry-After", ""), self._timepiece.now())
        words = body.said(shown)[:SHOWN]
        return kind(f"{sentence}: {words}" if words else sentence, status, shown, wait)

    def _explained(self, error: SourceError) -> SourceError:
        """Return a refusal that also says why a replaced key was of no use."""
        trouble = self._credentials.trouble
        if not trouble:
            return error
        return type(error)(f"{error}; {trouble}", error.status, error.body)

    @contextmanager
    def _told(self, named: str, deadline: Deadline) -> Iterator[None]:
        try:
            yield
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) as error:
            raise TimedOut(f"{named} had no whole answer by its deadline") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if deadline.passed:
                raise TimedOut(f"{named} had no whole answer by its deadline") from error
            raise _unreachable(named, error, self._credentials.blanked) from error


def _spend(spent: set[type[SourceError]], error: SourceError) -> None:
    """Raise what this request was tried once more for already."""
    if type(error) in spent:
        raise error
    spent.add(type(error))


def _conditional(request: _Request) -> bool:
    return "If-None-Match" in request.headers


def _unreachable(named: str, error: Exception, blanked: Callable[[str], str]) -> Unreachable:
    chain = list(_chain(error))
    reason = blanked(f"{type(chain[-1]).__name__}: {chain[-1]}")
    if any(isinstance(link, ssl.SSLCertVerificationError) for link in chain):
        return Unreachable(f"{named} found a TLS certificate that is not trusted ({reason})")
    if any(isinstance(link, ssl.SSLError) for link in chain):
        return Unreachable(f"{named} found no TLS connection ({reason})")
    if any(isinstance(link, urllib3.exceptions.ProtocolError) for link in chain):
        return CutOff(f"{named} broke off ({reason})")
    return Unreachable(f"{named} found no connection ({reason})")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
