"""Pace: how often the hub looks, speaks and gives up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Durations in seconds; the defaults are the protocol's own."""

    bell: float = 0.02
    look: float = 1.0
    spacing: float = 0.1
    silence: float = 5.0
    sweep: float = 0.5
    stall: float = 5.0
    ping: float = 25.0
    pong: float = 8.0
    linger: float = 1.0
    farewell: float = 0.3
