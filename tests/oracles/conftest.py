"""A long season of the emulated exchange, with a row of everything."""

from collections.abc import Iterator

import pytest

from emulators.world import instant
from tests.emulators.stage import START, Stage, Stages


@pytest.fixture(scope="session")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return ninety days of an account that also has subaccounts, a tie and fractional counts."""
    with Stages(tmp_path_factory.mktemp("season")) as stages:
        stage = stages.make(days=90)
        ticker = stage.untouched()
        early = instant.text(START - 3_600_000_000)
        for side, number in (("bid", 0), ("ask", 1), ("ask", 0)):
            stage.tell(
                "fill", ticker=ticker, book_side=side, count="7.77", subaccount=number, time=early
            )
        stage.tell("settlement", ticker=ticker, result="scalar", value=50)
        stage.tell("deposit", cents=12_345, subaccount=1)
        yield stage
    Stages.close()
