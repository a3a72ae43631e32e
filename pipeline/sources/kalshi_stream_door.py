"""The way into the stream: a signed handshake, once more with what a refusal taught."""

from urllib.parse import urlsplit

from pipeline.sources.credentials import Credentials
from pipeline.sources.kalshi_stream_socket import Rejected, Socket
from pipeline.sources.source import Timepiece


class Door:
    """Where the stream is, and who asks to be let in."""

    def __init__(self, url: str, credentials: Credentials, timepiece: Timepiece) -> None:
        """Ask nothing yet; `url` with its path, ws or wss."""
        self._url = url
        self._path = urlsplit(url).path
        self._credentials = credentials
        self._timepiece = timepiece
        self._tried: object = None

    @property
    def renewed(self) -> bool:
        """Whether the next attempt would be made with another key, or by another clock."""
        return self._credentials.version != self._tried

    def opened(self) -> Socket:
        """Shake hands; once more when the refusal was of our clock, or of a key renewed since."""
        try:
            return self._attempt()
        except Rejected as error:
            if error.date is not None:
                self._credentials.observe(error.date, self._timepiece.now())
            if error.status != 401 or not self._credentials.renewed(error.body, self._tried):  # noqa: PLR2004 (HTTP's own)
                raise
            return self._attempt()

    def _attempt(self) -> Socket:
        self._tried = self._credentials.version
        headers = self._credentials.headers("GET", self._path)
        return Socket(self._url, headers, self._timepiece.monotonic)
