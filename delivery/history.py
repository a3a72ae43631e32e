"""History: for each member of the live document, the seq at which it last changed."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ledger.moment import MINUTE
from storage import text
from storage.reader import Head

SNAPSHOTS: Final = 300
AGE: Final = 10 * MINUTE

Path = tuple[str, ...]

_OBJECT: Final = object()


class History:
    """The newest document and what it takes to reach it from any of the last ones.

    Invariant: for every seq from `floor` on, `patch(seq)` applied to the document of that seq
    gives the head's document exactly (RFC 7396). The window is 300 snapshots or 10 minutes,
    whichever is shorter.
    """

    def __init__(self, first: Head) -> None:
        """Begin at a document; nothing older can be reached from here."""
        self.head = first
        self._nodes = dict(_nodes(text.decode(first.text)))
        self._changed = dict.fromkeys(self._nodes, first.seq)
        self._window = deque([(first.seq, first.as_of)])
        self._encoded: dict[int, bytes] = {}

    @property
    def floor(self) -> int:
        """The oldest seq that can be brought to the head by a patch."""
        return self._window[0][0]

    def covers(self, epoch: str, seq: int) -> bool:
        """Tell whether a document of that epoch and seq can be brought to the head."""
        return epoch == self.head.epoch and self.floor <= seq <= self.head.seq

    def add(self, head: Head) -> None:
        """Take in the next document of the same epoch."""
        nodes = dict(_nodes(text.decode(head.text)))
        for path, value in nodes.items():
            if not _same(self._nodes.get(path), value):
                self._changed[path] = head.seq
        for path in self._nodes.keys() - nodes.keys():
            self._changed[path] = head.seq
        self.head, self._nodes, self._encoded = head, nodes, {}
        self._window.append((head.seq, head.as_of))
        self._forget()

    def patch(self, after: int) -> dict[str, Any]:
        """Return the merge patch from the document of `after` (≥ floor) to the head's."""
        patch: dict[str, Any] = {}
        for path, seq in self._changed.items():
            if seq > after and self._stands_in_object(path):
                self._put(patch, path)
        return patch

    def encoded(self, after: int) -> bytes:
        """Return the patch as JSON, made once for each position a client may hold."""
        if after not in self._encoded:
            self._encoded[after] = text.encode(self.patch(after))
        return self._encoded[after]

    def _stands_in_object(self, path: Path) -> bool:
        # What lay below a member that is gone or now a scalar went with that member.
        return len(path) == 1 or self._nodes.get(path[:-1]) is _OBJECT

    def _put(self, patch: dict[str, Any], path: Path) -> None:
        *parents, name = path
        for parent in parents:
            patch = patch.setdefault(parent, {})
        value = self._nodes.get(path)
        if value is _OBJECT:
            patch.setdefault(name, {})
        else:
            patch[name] = value

    def _forget(self) -> None:
        oldest = self.head.as_of - AGE
        while len(self._window) > SNAPSHOTS + 1 or self._window[0][1] < oldest:
            self._window.popleft()
        gone = [p for p, seq in self._changed.items() if seq <= self.floor and p not in self._nodes]
        for path in gone:
            del self._changed[path]


def _nodes(document: Mapping[str, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    for name, value in document.items():
        path = (*above, name)
        if isinstance(value, dict):
            yield path, _OBJECT
            yield from _nodes(value, path)
        else:
            yield path, value


def _same(a: object, b: object) -> bool:
    # By text, since 1 == True and a list may hold either.
    return a is b or repr(a) == repr(b)
