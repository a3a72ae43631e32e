"""Money paid into the account, or out of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transfer:
    """So many cents at an instant: positive a deposit, negative a withdrawal."""

    transfer_id: str
    time: int
    cents: int
    exchange_index: int = 0
    subaccount: int = 0
    kind: str = "wire"

    @property
    def key(self) -> tuple[int, str]:
        """Its place among all transfers."""
        return self.time, self.transfer_id
