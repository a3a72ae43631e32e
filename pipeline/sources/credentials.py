"""What makes a request ours: the seam, a secret that is read again, one-header credentials."""

import threading
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

R = TypeVar("R")
T = TypeVar("T")


class Credentials(Protocol):
    """Headers of a request, and what its answers teach about them."""

    @property
    def version(self) -> object:
        """Return what changes whenever the next request would be made otherwise."""
        ...

    @property
    def trouble(self) -> str:
        """Return why the newest secret cannot be used, "" mostly."""
        ...

    def headers(self, method: str, path: str) -> Mapping[str, str]:
        """Return the headers of one request; `path` from the root, without query."""
        ...

    def observe(self, date: int, now: int) -> None:
        """Learn the upstream's clock: its Date and ours, both in microseconds."""
        ...

    def outdated(self, refusal: str) -> bool:
        """Tell whether a 401 with this body is about our clock, not about who asks."""
        ...

    def renewed(self, refusal: str, version: object = None) -> bool:
        """Tell whether a request refused with this body, made at `version`, may work now."""
        ...

    def blanked(self, text: str) -> str:
        """Return the text without any secret in it."""
        ...


class Secret(Generic[R, T]):
    """A secret as it was given, made usable by `read`; read again when it is refused.

    `reload` returns it as it stands now, None where it stands nowhere. What cannot be used, as
    half a file, leaves the old one in place and is said in `trouble`.
    """

    def __init__(
        self, given: R, read: Callable[[R], T], reload: Callable[[], R | None] | None = None
    ) -> None:
        """Make `given` usable; what `read` raises is raised."""
        self._given = given
        self._read = read
        self._reload = reload
        self._lock = threading.Lock()
        self.value = read(given)
        self.version = 0
        self.trouble = ""

    def renewed(self, version: object) -> bool:
        """Read it again; tell whether it is another one than at `version`."""
        with self._lock:
            if self._reload is None or version not in (None, self.version):
                return version not in (None, self.version)
            try:
                return self._replaced(self._reload())
            except (OSError, ValueError) as error:
                self.trouble = f"the new key can't be used, the old one stays: {error}"
                return False

    def _replaced(self, given: R | None) -> bool:
        if given is None:
            return False
        if given != self._given:
            self.value = self._read(given)
            self.version += 1
        changed = given != self._given
        self._given, self.trouble = given, ""
        return changed


class Token:
    """One header with one secret, as `x-api-key: …` or `Authorization: Bearer …`."""

    def __init__(
        self,
        header: str,
        secret: str,
        scheme: str = "",
        reload: Callable[[], str | None] | None = None,
    ) -> None:
        """Send `secret`; after a 401 `reload` is asked for the one that stands there now."""
        self._header = header
        self._scheme = scheme
        self._secret = Secret(secret, str.strip, reload and _checked(reload))

    @property
    def version(self) -> object:
        """Return how often the secret was replaced."""
        return self._secret.version

    @property
    def trouble(self) -> str:
        """Return why the newest secret cannot be used, "" mostly."""
        return self._secret.trouble

    def headers(self, method: str, path: str) -> Mapping[str, str]:  # noqa: ARG002 (the seam's)
        """Return the one header; none without a secret."""
        secret = self._secret.value
        return {self._header: self._scheme + secret} if secret else {}

    def observe(self, date: int, now: int) -> None:
        """Need no clock."""

    def outdated(self, refusal: str) -> bool:  # noqa: ARG002 (the seam's)
        """Never: no clock is sent."""
        return False

    def renewed(self, refusal: str, version: object = None) -> bool:  # noqa: ARG002 (the seam's)
        """Tell whether the secret is another one by now."""
        return self._secret.renewed(version)

    def blanked(self, text: str) -> str:
        """Return the text without the secret."""
        secret = self._secret.value
        return text.replace(secret, "…") if secret else text


def _checked(reload: Callable[[], str | None]) -> Callable[[], str | None]:
    """Return the same, with a ValueError for what no header can carry: half a file, a wrong one."""

    def read() -> str | None:
        secret = reload()
        if secret is not None and not secret.strip():
            raise ValueError("it is empty")
        if secret and not (secret.strip().isascii() and secret.strip().isprintable()):
            raise ValueError("it holds what no header can carry")
        return secret

    return read
