"""Chance that is the same every time: numbers drawn from a key, never from a state."""

import struct
from hashlib import blake2b
from statistics import NormalDist

_EIGHT = struct.Struct(">8Q")
_UNIT = 2.0**-53
normal = NormalDist().inv_cdf
"""The standard normal number at a uniform one."""


def draws(*key: object) -> tuple[float, ...]:
    """Return eight independent uniform numbers in (0, 1) for `key`."""
    return tuple([((n >> 11) + 0.5) * _UNIT for n in _EIGHT.unpack(_digest(key, 64))])


def uniform(*key: object) -> float:
    """Return one uniform number in (0, 1) for `key`."""
    return ((int.from_bytes(_digest(key, 8)) >> 11) + 0.5) * _UNIT


def gauss(*key: object) -> float:
    """Return one standard normal number for `key`."""
    return normal(uniform(*key))


def identifier(*key: object) -> str:
    """Return the UUID of `key`."""
    return _uuid(token(*key))


def identifiers(*key: object) -> tuple[str, str]:
    """Return two UUIDs of one `key`."""
    digits = _digest(key, 32).hex()
    return _uuid(digits[:32]), _uuid(digits[32:])


def token(*key: object) -> str:
    """Return 32 hexadecimal digits for `key`."""
    return _digest(key, 16).hex()


def _uuid(digits: str) -> str:
    parts = (digits[:8], digits[8:12], f"4{digits[13:16]}", f"a{digits[17:20]}", digits[20:])
    return "-".join(parts)


def _digest(key: tuple[object, ...], size: int) -> bytes:
    return blake2b("|".join(map(str, key)).encode(), digest_size=size).digest()
