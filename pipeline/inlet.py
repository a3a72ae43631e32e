"""The seam of everything else that makes facts: commands from people, through the inbox."""

from typing import Protocol

from storage.facts import Recorded


class Inlet(Protocol):
    """A way in beside the sources, served by the one thread that books.

    `run` and `drain` are called from that thread only, at least every 100 ms, while `recording`
    is held: so what `run` records is booked before the next snapshot says that all is. What it
    raises ends the worker; a command that cannot be done is answered, not raised.
    """

    def run(self) -> bool:
        """Do what waits, making its facts durable; tell whether there was anything to do."""
        ...

    def drain(self) -> list[Recorded]:
        """Return what was recorded since the last call, to be booked."""
        ...
