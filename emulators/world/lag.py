"""What the account's endpoints serve: the account itself, or as it was a while ago."""

from emulators.world.account import Account


class Lag:
    """Follows an account at a distance; what was served once stays served."""

    def __init__(self, account: Account) -> None:
        """Follow at no distance."""
        self._account = account
        self._behind: Account | None = None
        self._told = 0

    def served(self, now: int, lag: int) -> Account:
        """Return the account as of `lag` microseconds before now."""
        if not lag:
            self._behind = None
            return self._account
        if self._behind is None:
            self._behind = self._account.follower()
            self._told = len(self._account.arrived)
        self._tell(self._behind)
        self._behind.advance(now - lag)
        return self._behind

    def forget(self, ticker: str) -> None:
        """Fold a market anew at the next look."""
        self._account.forget(ticker)
        if self._behind:
            self._behind.forget(ticker)

    def _tell(self, behind: Account) -> None:
        for fill in self._account.arrived[self._told :]:
            behind.inject(fill)
        self._told = len(self._account.arrived)
