"""With an authority that is trusted, host and date of a certificate still are looked at."""

from pathlib import Path

import pytest
import requests

from pipeline.sources import transport
from pipeline.sources.source import Deadline
from tests.faults import certificates
from tests.faults.clock import Clock
from tests.faults.upstream import Elsewhere
from tests.faults.wire import Server


@pytest.fixture
def session() -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    made.mount("https://", transport.BoundAdapter())
    return made


def asked(session: requests.Session, kind: str, folder: Path) -> int:
    site = Elsewhere(Clock())
    site.server.close()
    server = Server(site, certificates.presented(kind, folder))
    try:
        with transport.within(Deadline.after(5.0)):
            url, authority = server.url("localhost"), folder / certificates.AUTHORITY
            return session.get(url, timeout=5, verify=str(authority)).status_code
    finally:
        server.close()
        session.close()


def test_a_certificate_of_the_host_by_the_authority_is_taken(
    session: requests.Session, tmp_path: Path
) -> None:
    assert asked(session, "good", tmp_path) == 200


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("expired", "certificate has expired"),
        ("self-signed", "certificate verify failed"),
        ("wrong-host", "Hostname mismatch"),
    ],
)
def test_any_other_is_not(
    session: requests.Session, tmp_path: Path, kind: str, reason: str
) -> None:
    with pytest.raises(requests.exceptions.SSLError, match=reason):
        asked(session, kind, tmp_path)
