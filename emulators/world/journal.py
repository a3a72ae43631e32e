"""What was injected, kept as JSON lines so that a restart keeps it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from os import SEEK_END
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One injected thing: when it was told, of which kind, and all of it."""

    time: int
    kind: str
    body: dict[str, Any]


class Journal:
    """A file that only grows."""

    def __init__(self, path: Path) -> None:
        """Use `path`, which need not be there yet."""
        self._path = path

    def __iter__(self) -> Iterator[Entry]:
        """Yield what was kept, oldest first, without a line that a crash cut short."""
        if not self._path.exists():
            return
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                yield Entry(**json.loads(line))
            except ValueError:
                continue

    def append(self, entry: Entry) -> None:
        """Keep an entry."""
        line = json.dumps({"time": entry.time, "kind": entry.kind, "body": entry.body})
        with self._path.open("ab+") as file:
            torn = file.seek(0, SEEK_END) and file.seek(-1, SEEK_END) >= 0 and file.read(1) != b"\n"
            file.write(b"\n" * torn + line.encode() + b"\n")
