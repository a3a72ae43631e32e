"""One upstream over HTTP: bounded, strict, and plain about what went wrong.

SourceError          the source gave no usable answer
├── Unreachable      no connection: refused, unknown host, TLS not trusted
│   └── CutOff       the connection broke before the answer was whole
├── TimedOut         the deadline passed first
├── Refused          401 or 403: the credentials are not accepted
├── Throttled        429: too many requests; no failure, only later
├── Missing          404: the upstream does not have it
├── Declined         any other 4xx: the request is not accepted as asked
└── Broken           5xx, a redirect, too large, not strict JSON, another shape
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from secrets import SystemRandom
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from ledger import moment
from pipeline.sources import body, transport
from pipeline.sources.budget import Budget
from pipeline.sources.credentials import Credentials
from pipeline.sources.source import Deadline, Timepiece

AGENT = "NorthStar/0.1"
TRIES = 4
FIRST_WAIT = 0.25
LONGEST_WAIT = 3_600.0

Params = Sequence[tuple[str, str]]


class SourceError(RuntimeError):
    """The source gave no usable answer.

    `status` is HTTP's or 0, `body` at most 4 KiB of the answer with secrets blanked, `wait` the
    seconds a 429 asked for or None.
    """

    def __init__(
        self, sentence: str, status: int = 0, body: str = "", wait: float | None = None
    ) -> None:
        """Say it in a sentence that holds method, path and status."""
        super().__init__(sentence)
        self.status = status
        self.body = body
        self.wait = wait


class Unreachable(SourceError):
    """There is no connection to the source."""


class CutOff(Unreachable):
    """The connection broke before the answer was whole."""


class TimedOut(SourceError):
    """The deadline passed before the answer was whole."""


class Refused(SourceError):
    """The source does not accept the credentials."""


class Throttled(SourceError):
    """The source asks for fewer requests."""


class Missing(SourceError):
    """The source does not have what was asked for."""


class Declined(SourceError):
    """The source does not accept the request as asked."""


class Broken(SourceError):
    """The source answered with something that cannot be used."""


_BY_STATUS: Mapping[int, type[SourceError]] = {
    401: Refused,
    403: Refused,
    404: Missing,
    429: Throttled,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A strict JSON body and the instant it was received, in microseconds."""

    body: Any
    received: int


class Client:
    """GET requests to one upstream; the credentials never leave for another host.

    `url` is the prefix of every path. One request is tried once more when its connection breaks,
    and after a 429 as often as the deadline allows, with exponential back-off.
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
        self._random = SystemRandom()
        self._quiet = threading.Lock()
        self._quiet_until = 0.0
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
        cut = renewed = False
        for attempt in range(TRIES):
            try:
                return self._once(path, params, deadline, signed=signed, extra=headers or {})
            except CutOff:
                if cut:
                    raise
                cut = True
            except Refused as refusal:
                if renewed or not signed or not self._credentials.renewed(refusal.body):
                    raise
                renewed = True
            except Throttled as throttled:
                self._back_off(throttled, attempt, deadline)
        raise Throttled(f"GET {path} was answered 429 {TRIES} times", 429)

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def _once(
        self,
        path: str,
        params: Params,
        deadline: Deadline,
        *,
        signed: bool,
        extra: Mapping[str, str],
    ) -> Answer:
        """Make one request: the one place a circuit breaker stands around."""
        self._wait_for_turn(path, deadline)
        route = self._prefix + path
        own = self._credentials.headers("GET", route) if signed else {}
        with self._told(path, deadline), transport.within(deadline):
            left = deadline.remaining()
            response = self._session.get(
                self._url + path,
                params=list(params),
                headers={**extra, **own},
                timeout=(left, left),
                allow_redirects=False,
                stream=True,
            )
            with closing(response):
                return self._answer(path, response)

    def _wait_for_turn(self, path: str, deadline: Deadline) -> None:
        quiet = self._quiet_until - self._timepiece.monotonic()
        if quiet > deadline.remaining():
            raise Throttled(f"GET {path} waits {quiet:.1f} s more after a 429", 429, wait=quiet)
        if quiet > 0:
            self._timepiece.sleep(quiet)
        if self._budget and not self._budget.take(deadline):
            raise TimedOut(f"GET {path} had no room in our own request budget")
        if deadline.passed:
            raise TimedOut(f"GET {path} was not asked: the deadline passed")

    def _answer(self, path: str, response: requests.Response) -> Answer:
        self._observe(response)
        if response.status_code != requests.codes.ok:
            raise self._failure(path, response)
        try:
            content = body.parse(body.read(response))
        except body.BodyError as error:
            raise Broken(f"GET {path} was answered 200, but {error}", 200) from error
        return Answer(content, self._timepiece.now())

    def _observe(self, response: requests.Response) -> None:
        date = _date(response.headers.get("Date", ""))
        if date is not None:
            self._credentials.observe(date, self._timepiece.now())

    def _failure(self, path: str, response: requests.Response) -> SourceError:
        status = response.status_code
        shown = self._credentials.blanked(body.excerpt(response))
        sentence = f"GET {path} was answered {status}"
        if 300 <= status < 400:  # noqa: PLR2004 (HTTP's own classes)
            return Broken(f"{sentence}: a redirect, which is never followed", status, shown)
        fallback = Declined if 400 <= status < 500 else Broken  # noqa: PLR2004 (likewise)
        wait = retry_after(response.headers.get("Retry-After", ""), self._timepiece.now())
        kind = _BY_STATUS.get(status, fallback)
        return kind(f"{sentence}: {shown[:200]}" if shown else sentence, status, shown, wait)

    def _back_off(self, throttled: Throttled, attempt: int, deadline: Deadline) -> None:
        """Wait as asked, else FIRST_WAIT · 2ⁿ with jitter; raise when the deadline is nearer."""
        wait = throttled.wait
        if wait is None:
            wait = FIRST_WAIT * 2**attempt * self._random.uniform(0.5, 1.0)
        with self._quiet:
            self._quiet_until = max(self._quiet_until, self._timepiece.monotonic() + wait)
        if wait >= deadline.remaining():
            raise throttled

    @contextmanager
    def _told(self, path: str, deadline: Deadline) -> Iterator[None]:
        try:
            yield
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) as error:
            raise TimedOut(f"GET {path} had no whole answer by its deadline") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if deadline.passed:
                raise TimedOut(f"GET {path} had no whole answer by its deadline") from error
            raise _unreachable(path, error) from error


def retry_after(header: str, now: int) -> float | None:
    """Return the seconds a Retry-After header asks for; None when absent or absurd."""
    if header.strip().isdecimal():
        wait = float(header)
    else:
        date = _date(header)
        wait = -1.0 if date is None else (date - now) / moment.MICROS
    return wait if 0 <= wait <= LONGEST_WAIT else None


def _date(header: str) -> int | None:
    try:
        parsed = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return None
    return moment.of(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


def _unreachable(path: str, error: Exception) -> Unreachable:
    chain = list(_chain(error))
    reason = f"{type(chain[-1]).__name__}: {chain[-1]}"
    if any(isinstance(link, urllib3.exceptions.ProtocolError) for link in chain):
        return CutOff(f"GET {path} broke off ({reason})")
    return Unreachable(f"GET {path} found no connection ({reason})")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
