"""What makes a world this one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Charter:
    """Its seed, its first start, the history before it, and the kind of account it has.

    `unnetted`: a YES and a NO are kept until the end. `direct`: balances are kept to $0.0001,
    not to the cent.
    """

    seed: str
    start: int
    begin: int
    unnetted: bool = False
    direct: bool = True
