"""A random walk that can be asked at any instant, in any order, and always says the same."""

from math import sqrt

from emulators.world.chance import draws, normal

_CHUNK = 3
"""Levels drawn at once: seven midpoints of one subtree."""
_KEPT_LEVELS = 9
_SCALES = tuple(sqrt(2.0**-level) for level in range(64))


class Walk:
    """Brownian motion over [0, 1] by midpoints, so that one look costs O(log steps)."""

    def __init__(self, key: str, steps: int) -> None:
        """Draw nothing yet; `steps` is how many pieces are told apart."""
        self._key = key
        self._depth = max(1, (steps - 1).bit_length())
        self._kept: dict[tuple[int, int], tuple[float, ...]] = {}
        self._recent = (-1, 0.0, 0.0)
        self.end = normal(draws(key, "end")[0])

    def at(self, fraction: float) -> float:
        """Return the walk at a fraction of its life; 0 before it, its end after it."""
        if fraction <= 0:
            return 0.0
        if fraction >= 1:
            return self.end
        place = fraction * (1 << self._depth)
        cell = int(place)
        known, left, right = self._recent
        if known != cell:
            left, right = self._ends(cell)
            self._recent = (cell, left, right)
        return left + (right - left) * (place - cell)

    def _ends(self, cell: int) -> tuple[float, float]:
        left, right = 0.0, self.end
        for top in range(0, self._depth, _CHUNK):
            chunk = self._draws(top, cell >> (self._depth - top))
            node = 0
            for level in range(top, min(top + _CHUNK, self._depth)):
                middle = (left + right + normal(chunk[node]) * _SCALES[level]) / 2
                if cell >> (self._depth - level - 1) & 1:
                    left, node = middle, 2 * node + 2
                else:
                    right, node = middle, 2 * node + 1
        return left, right

    def _draws(self, level: int, index: int) -> tuple[float, ...]:
        known = self._kept.get((level, index))
        if known is not None:
            return known
        chunk = draws(self._key, level, index)
        if level < _KEPT_LEVELS:
            self._kept[level, index] = chunk
        return chunk
