"""How a source may fail to answer: one tree, each class a sentence.

SourceError          the source gave no usable answer
├── Unreachable      no connection: refused, unknown host, TLS not trusted
│   └── CutOff       the connection broke before the answer was whole
├── TimedOut         the deadline passed first
│   └── Behind       there was more to ask than a poll has time for; the next goes on
├── Refused          401 or 403: the credentials are not accepted
├── Skewed           401 for our clock, which setting it anew did not help
├── Throttled        429, or our own budget is used up; no failure, only later
├── Resting          not asked: too many polls failed in a row, the breaker is open
├── Missing          404: the upstream does not have it
├── Declined         any other 4xx: the request is not accepted as asked
└── Broken           5xx, a redirect, too large, not strict JSON, another shape
"""

from collections.abc import Iterable, Mapping


class SourceError(RuntimeError):
    """The source gave no usable answer.

    `status` is HTTP's or 0, `body` at most 4 KiB of the answer with secrets blanked, `wait` the
    seconds until it is worth asking again or None, `signed` whether it was asked as the account.
    """

    signed = True

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


class Behind(TimedOut):
    """There is more to ask than one poll has time for; the next one goes on from there."""


class Refused(SourceError):
    """The source does not accept the credentials."""


class Skewed(SourceError):
    """The source does not accept our clock; the credentials were not looked at."""


class Throttled(SourceError):
    """The source is to be asked less often; no failure."""


class Resting(SourceError):
    """The source was not asked: it failed too often and is left alone for a while."""


class Missing(SourceError):
    """The source does not have what was asked for."""


class Declined(SourceError):
    """The source does not accept the request as asked."""


class Broken(SourceError):
    """The source answered with something that cannot be used."""


BY_STATUS: Mapping[int, type[SourceError]] = {
    401: Refused,
    403: Refused,
    404: Missing,
    429: Throttled,
}

PATIENT = (Throttled, Resting, Behind)
"""What is no failure of the upstream: asked too often, not at all, or for more than fits."""


def kind_of(status: int) -> type[SourceError]:
    """Return the error an HTTP status that is no success stands for."""
    fallback = Declined if 400 <= status < 500 else Broken  # noqa: PLR2004 (HTTP's own classes)
    return BY_STATUS.get(status, fallback)


def worst(errors: Iterable[SourceError]) -> SourceError | None:
    """Return the one to tell: a real failure before a rest, a rest before a 429; None of none."""
    return min(errors, key=_mildness, default=None)


def _mildness(error: SourceError) -> int:
    return next((n for n, kind in enumerate(_MILD, 1) if isinstance(error, kind)), 0)


_MILD = (Resting, Behind, Throttled)
