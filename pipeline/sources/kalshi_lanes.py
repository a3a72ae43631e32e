"""Signed and public reads of one poll: the failure of one keeps nothing from the other."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.sources.client import Client, Refused, SourceError
from pipeline.sources.failure import PATIENT, worst
from storage.facts import Page

SERVER = 500
"""The first of HTTP's statuses that mean the server, not the question."""


@dataclass(frozen=True, slots=True)
class _Failure:
    error: SourceError
    signed: bool
    vital: bool


class Lanes:
    """How the reads of one poll ended, told to the breaker of each lane and then raised.

    A lane's poll has failed when a read failed that figures depend on (`vital`); a lane that
    answered them all but not its cash, say, is there, and only the poll has failed.
    """

    def __init__(self, client: Client) -> None:
        """Begin a poll."""
        self._client = client
        self._failures: list[_Failure] = []

    def through(
        self, pages: Iterator[Page], *, signed: bool = True, vital: bool = False
    ) -> Iterator[Page]:
        """Yield the pages of one read and keep its failure."""
        try:
            yield from pages
        except SourceError as error:
            self.failed(error, signed=signed, vital=vital)

    def failed(self, error: SourceError, *, signed: bool, vital: bool) -> None:
        """Keep the failure of a read; one of a signed list may be that of a public question."""
        self._failures.append(_Failure(error, signed and error.signed, vital))

    def open(self, *, signed: bool) -> bool:
        """Tell whether nothing has failed in a lane so far."""
        return not any(failure.signed is signed for failure in self._failures)

    @property
    def broken(self) -> bool:
        """Whether the exchange answered that something is wrong with it: then it may say why."""
        return any(each.error.status >= SERVER for each in self._failures)

    def end(self, reason: str) -> None:
        """Tell both breakers, then raise the worst failure with the reason behind it."""
        for breaker, signed in ((self._client.signed, True), (self._client.public, False)):
            ended = [each.error for each in self._failures if each.signed is signed and each.vital]
            if ended or self.open(signed=signed):
                breaker.ended(worst(ended))
        error = worst(failure.error for failure in self._failures)
        if error is None:
            return
        if not reason or isinstance(error, (Refused, *PATIENT)):
            raise error
        raise type(error)(f"{error} ({reason})", error.status, error.body, error.wait) from error
