"""An account that took part in real trades: its share of each is a fill of its own."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from emulators.world import fee
from emulators.world.chance import identifier
from emulators.world.charter import Charter
from emulators.world.holding import Fill
from emulators.world.prints import Print

_WHOLE = 100
_PPM = fee.rate("quadratic", Decimal(1), is_taker=True)


class Taker:
    """Fills in the order of the trades, at their prices, on the side of each one's taker."""

    def __init__(
        self, charter: Charter, prints: Sequence[Print], share: int, rests: Callable[[int], bool]
    ) -> None:
        """Take `share` hundredths of every trade; what is less than 1/100 contract is left.

        `rests` tells whether nothing is traded at an instant.
        """
        self._precision = fee.precision(direct=charter.direct)
        self._prints = prints
        self._share = share
        self._rests = rests
        self._next = 0

    def until(self, instant: int) -> list[Fill]:
        """Return the fills since the last call up to and including `instant`."""
        fills = []
        while self._next < len(self._prints) and self._prints[self._next].time <= instant:
            one = self._prints[self._next]
            self._next += 1
            if one.count * self._share >= _WHOLE and not self._rests(one.time):
                fills.append(self._fill(one))
        return fills

    def _fill(self, one: Print) -> Fill:
        direction, count = (1 if one.bought else -1), one.count * self._share // 100
        paid = fee.fill_fee(direction, one.price, count, _PPM, self._precision)
        order_id = identifier(one.trade_id, "order")
        return Fill(
            time=one.time,
            fill_id=one.trade_id,
            order_id=order_id,
            ticker=one.ticker,
            direction=direction,
            count=count,
            price=one.price,
            fee=paid,
            is_taker=True,
        )
