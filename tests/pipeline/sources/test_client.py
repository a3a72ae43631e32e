"""One upstream over real sockets: what is accepted, retried, refused, and how it is told."""

import gzip
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ledger.moment import MICROS
from pipeline.sources.budget import Budget
from pipeline.sources.client import (
    Broken,
    Client,
    CutOff,
    Declined,
    Missing,
    Refused,
    Resting,
    SourceError,
    Throttled,
    TimedOut,
    Unreachable,
    retry_after,
)
from pipeline.sources.credentials import Token
from pipeline.sources.source import Deadline, Timepiece
from tests.pipeline.sources.conftest import NOON, Hands
from tests.pipeline.sources.upstream import Reply, Request, Upstream

SECRET = "sk-ant-admin01-never-shown"  # noqa: S105 (made up, and the test looks for it)


@pytest.fixture
def client(upstream: Upstream, hands: Hands) -> Iterator[Client]:
    made = Client(upstream.url + "/api", Token("x-api-key", SECRET), hands.timepiece())
    yield made
    made.close()


def _unreadable() -> str | None:
    raise ValueError("half of it")


def soon() -> Deadline:
    return Deadline.after(5.0)


def test_an_answer_is_exact_and_dated(client: Client, upstream: Upstream, hands: Hands) -> None:
    upstream.on("/api/x", Reply('{"amount": 0.30000000000000004, "n": 12345678901234567890}'))
    answer = client.get("/x", [("a[]", "1"), ("a[]", "2")], deadline=hands.deadline())
    assert answer.body == {"amount": Decimal("0.30000000000000004"), "n": 12345678901234567890}
    assert answer.received == NOON
    assert upstream.seen[0].query == [("a[]", "1"), ("a[]", "2")]
    assert upstream.seen[0].headers["x-api-key"] == SECRET
    assert upstream.seen[0].headers["User-Agent"] == "NorthStar/0.1"


def test_an_unsigned_request_carries_no_secret(client: Client, upstream: Upstream) -> None:
    upstream.on("/api/x", Reply({}))
    client.get("/x", deadline=soon(), signed=False)
    assert SECRET not in str(upstream.seen[0].headers)


def test_one_connection_serves_many_requests(client: Client, upstream: Upstream) -> None:
    upstream.on("/api/x", Reply({}))
    for _ in range(5):
        client.get("/x", deadline=soon())
    assert len({request.connection for request in upstream.seen}) == 1


def test_gzip_is_inflated(client: Client, upstream: Upstream) -> None:
    headers = {"Content-Encoding": "gzip"}
    upstream.on("/api/x", Reply(gzip.compress(b'{"a": 1}'), headers=headers))
    assert client.get("/x", deadline=soon()).body == {"a": 1}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Refused), (403, Refused), (404, Missing), (400, Declined), (500, Broken), (529, Broken)],
)
def test_a_status_has_its_error(
    client: Client, upstream: Upstream, status: int, kind: type[SourceError]
) -> None:
    upstream.on("/api/x", Reply({"error": f"what it says of {SECRET}"}, status))
    with pytest.raises(kind, match=f"GET /x was answered {status}") as raised:
        client.get("/x", deadline=soon())
    assert raised.value.status == status
    assert "what it says" in raised.value.body
    assert SECRET not in raised.value.body + str(raised.value)


def test_an_error_shows_at_most_4_kib(client: Client, upstream: Upstream) -> None:
    upstream.on("/api/x", Reply("x" * 100_000, 500))
    with pytest.raises(Broken) as raised:
        client.get("/x", deadline=soon())
    assert raised.value.body == "x" * 4096


def test_a_redirect_is_not_followed(client: Client, upstream: Upstream) -> None:
    elsewhere = upstream.url + "/elsewhere"
    upstream.on("/api/x", Reply({}, 302, {"Location": elsewhere}))
    upstream.on("/elsewhere", Reply({}))
    with pytest.raises(Broken, match="redirect"):
        client.get("/x", deadline=soon())
    assert [request.path for request in upstream.seen] == ["/api/x"]


@pytest.mark.parametrize(
    "body",
    [
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1, "a": 2}',
        "<html>log in</html>",
        '{"a": ',
        "[" * 10_000,
        '{"a": 1e99999999999999999999}',
        b"\xff\xfe",
    ],
)
def test_what_is_not_strict_json_is_broken(
    client: Client, upstream: Upstream, body: str | bytes
) -> None:
    upstream.on("/api/x", Reply(body))
    with pytest.raises(Broken, match="GET /x was answered 200, but"):
        client.get("/x", deadline=soon())


def test_a_reset_connection_is_tried_once_more(client: Client, upstream: Upstream) -> None:
    upstream.on("/api/x", Reply(reset=True), Reply({"a": 1}))
    assert client.get("/x", deadline=soon()).body == {"a": 1}
    assert len(upstream.seen) == 2


def test_two_resets_are_an_error(client: Client, upstream: Upstream) -> None:
    upstream.on("/api/x", Reply(reset=True))
    with pytest.raises(CutOff, match="GET /x broke off"):
        client.get("/x", deadline=soon())
    assert len(upstream.seen) == 2


def test_a_body_that_is_cut_off_is_never_read_as_whole(client: Client, upstream: Upstream) -> None:
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1]"
    upstream.on("/api/x", Reply(wire=wire))
    with pytest.raises(CutOff):
        client.get("/x", deadline=soon())


def test_nobody_there_is_unreachable(hands: Hands) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = Client(url, Token("x-api-key", SECRET), hands.timepiece())
        with pytest.raises(Unreachable, match="found no connection"):
            client.get("/x", deadline=soon())
        client.close()


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return what a server needs to show a certificate nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begin = datetime.now(UTC) - timedelta(days=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(9))
    own = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = made.add_extension(own, critical=False).sign(key, hashes.SHA256())
    pem = certificate.public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "own.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    return context


def test_a_certificate_nobody_vouches_for_gets_no_request(tmp_path: Path, hands: Hands) -> None:
    with Upstream(tls=self_signed(tmp_path)).running() as upstream:
        upstream.on("/x", Reply({}))
        client = Client(upstream.url, Token("x-api-key", SECRET), hands.timepiece())
        with pytest.raises(
            Unreachable, match=r"certificate that is not trusted .*self-signed certificate"
        ):
            client.get("/x", deadline=soon())
        client.close()
        assert upstream.seen == []


SLOW = {
    "headers": b"HTTP/1.1 200 OK\r\n" + b"X-Header: 1\r\n" * 10 + b"Content-Length: 2\r\n\r\n{}",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 102\r\n\r\n{" + b" " * 100 + b"}",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"1\r\n \r\n" * 20
    + b"2\r\n{}\r\n0\r\n\r\n",
    "last words": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{" + b" " * 100 + b"}",
}


@pytest.mark.parametrize("part", SLOW)
def test_a_slow_drip_does_not_extend_the_deadline(
    client: Client, upstream: Upstream, part: str
) -> None:
    """Each byte arrives well within a socket's timeout, all of them take five times as long."""
    upstream.on("/api/x", Reply(wire=SLOW[part], pause=0.02))
    with pytest.raises(TimedOut, match="by its deadline"):
        client.get("/x", deadline=Deadline.after(0.4))


def test_nothing_is_asked_after_the_deadline(client: Client, upstream: Upstream) -> None:
    with pytest.raises(TimedOut, match="was not asked"):
        client.get("/x", deadline=Deadline.after(0.0))
    assert upstream.seen == []


def test_a_429_backs_off_longer_each_time(client: Client, upstream: Upstream, hands: Hands) -> None:
    busy = Reply({"error": "too many requests"}, 429)
    upstream.on("/api/x", busy, busy, busy, Reply({"a": 1}))
    assert client.get("/x", deadline=hands.deadline(30)).body == {"a": 1}
    assert len(hands.slept) == 3
    first, second, third = hands.slept
    assert 1.0 <= first <= 1.5
    assert 2.0 <= second <= 3.0
    assert 4.0 <= third <= 6.0


def test_retry_after_is_respected(client: Client, upstream: Upstream, hands: Hands) -> None:
    upstream.on("/api/x", Reply({}, 429, {"Retry-After": "7"}), Reply({"a": 1}))
    assert client.get("/x", deadline=hands.deadline(30)).body == {"a": 1}
    assert hands.slept == [7.0]


def test_a_wait_beyond_the_deadline_is_told_and_nothing_is_asked_meanwhile(
    client: Client, upstream: Upstream, hands: Hands
) -> None:
    upstream.on("/api/x", Reply({}, 429, {"Retry-After": "60"}), Reply({"a": 1}))
    with pytest.raises(Throttled) as raised:
        client.get("/x", deadline=hands.deadline())
    assert raised.value.wait == 60
    with pytest.raises(Throttled, match="waits"):
        client.get("/x", deadline=hands.deadline())
    assert len(upstream.seen) == 1
    hands.sleep(60)
    assert client.get("/x", deadline=hands.deadline()).body == {"a": 1}


def test_a_storm_of_429_ends(client: Client, upstream: Upstream, hands: Hands) -> None:
    upstream.on("/api/x", Reply({}, 429))
    with pytest.raises(Throttled, match="4 times"):
        client.get("/x", deadline=hands.deadline(1_000))
    assert len(upstream.seen) == 4


def test_a_storm_costs_one_request_a_poll(client: Client, upstream: Upstream, hands: Hands) -> None:
    """Twelve polls of three reads each, ten seconds apart, all answered 429."""
    upstream.on("/api/x", Reply({"error": "too many requests"}, 429))
    for tick in range(12):
        hands.seconds = max(hands.seconds, 10.0 * tick)
        deadline = hands.deadline()
        for _ in range(3):
            with pytest.raises(Throttled):
                client.get("/x", deadline=deadline)
    assert len(upstream.seen) <= 12 + 1


def test_after_a_storm_one_answer_lets_the_others_go(
    client: Client, upstream: Upstream, hands: Hands
) -> None:
    upstream.on("/api/x", Reply({}, 429), Reply({}, 429), Reply({"a": 1}))
    for _ in range(5):
        assert client.get("/x", deadline=hands.deadline(60)).body == {"a": 1}
    assert len(upstream.seen) == 2 + 5
    assert len(hands.slept) == 2


@pytest.mark.parametrize("header", ["0", "-5", "soon", "99999999"])
def test_an_absurd_retry_after_does_not_shorten_the_back_off(
    client: Client, upstream: Upstream, hands: Hands, header: str
) -> None:
    upstream.on("/api/x", Reply({}, 429, {"Retry-After": header}), Reply({"a": 1}))
    client.get("/x", deadline=hands.deadline(60))
    assert 1.0 <= hands.slept[0] <= 1.5


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"error": {"code": "authentication_error", "message": "authentication_error",
                       "details": "INCORRECT_API_KEY_SIGNATURE"}},
            "authentication_error: INCORRECT_API_KEY_SIGNATURE",
        ),
        ({"error": {"code": "header_timestamp_missing", "message": "header timestamp missing"}},
         "header timestamp missing"),
        ({"code": "bad_request", "message": "bad request", "details": "json: cannot"},
         "bad request: json: cannot"),
        ({"msg": "Parameter validation failed for GetMarkets"},
         "Parameter validation failed for GetMarkets"),
        ({"error": "too many things"}, "too many things"),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "no such day"}},
         "no such day: invalid_request_error"),
        ("<html>\n <body>down</body></html>", "<html> <body>down</body></html>"),
        ({"error": {}}, '{"error": {}}'),
        ([1], "[1]"),
    ],
)  # fmt: skip
def test_an_error_says_what_its_body_says(
    client: Client, upstream: Upstream, body: object, said: str
) -> None:
    upstream.on("/api/x", Reply(body, 400))
    with pytest.raises(Declined) as raised:
        client.get("/x", deadline=soon())
    assert str(raised.value) == f"GET /x was answered 400: {said}"


def test_an_error_s_gzip_is_inflated(client: Client, upstream: Upstream) -> None:
    content = gzip.compress(b'{"msg": "no"}' + b" " * 9_000_000)
    upstream.on("/api/x", Reply(content, 500, {"Content-Encoding": "gzip"}))
    with pytest.raises(Broken, match=r"answered 500: .*no"):
        client.get("/x", deadline=soon())


def test_a_replaced_key_is_used_at_once(upstream: Upstream, hands: Hands) -> None:
    stored = ["old", "new"]
    token = Token("x-api-key", "old", reload=lambda: stored[-1])
    client = Client(upstream.url, token, hands.timepiece())

    def known(request: Request) -> Reply:
        return Reply({"a": 1} if request.headers["x-api-key"] == "new" else {}, 200)

    def strict(request: Request) -> Reply:
        return known(request) if request.headers["x-api-key"] == "new" else Reply({}, 401)

    upstream.on("/x", strict)
    assert client.get("/x", deadline=soon()).body == {"a": 1}
    assert [request.headers["x-api-key"] for request in upstream.seen] == ["old", "new"]
    client.close()


@pytest.mark.parametrize(
    ("stored", "trouble"),
    [
        (lambda: "old", ""),
        (lambda: None, ""),
        (lambda: "", "; the new key can't be used, the old one stays: it is empty"),
        (lambda: "ne\x00w", "; the new key can't be used, .*: it holds what no header can carry"),
        (_unreadable, "; the new key can't be used, .*: half of it"),
    ],
)
def test_a_key_that_was_not_replaced_is_tried_once(
    upstream: Upstream, hands: Hands, stored: Callable[[], str | None], trouble: str
) -> None:
    client = Client(upstream.url, Token("x-api-key", "old", reload=stored), hands.timepiece())
    upstream.on("/x", Reply({"msg": "no"}, 401))
    with pytest.raises(Refused, match=f"answered 401: no{trouble}$"):
        client.get("/x", deadline=soon())
    assert [request.headers["x-api-key"] for request in upstream.seen] == ["old"]
    client.close()


def test_a_new_key_that_is_refused_too_is_not_tried_again(upstream: Upstream, hands: Hands) -> None:
    keys = iter(f"key {n}" for n in range(9))
    client = Client(upstream.url, Token("key", "old", reload=lambda: next(keys)), hands.timepiece())
    upstream.on("/x", Reply({}, 401))
    with pytest.raises(Refused):
        client.get("/x", deadline=soon())
    assert len(upstream.seen) == 2
    client.close()


def test_a_request_of_either_lane_has_its_own_breaker(client: Client, upstream: Upstream) -> None:
    upstream.on("/api/x", Reply({}, 500))
    for _ in range(3):
        with pytest.raises(Broken) as raised:
            client.get("/x", deadline=soon())
        client.signed.ended(raised.value)
    with pytest.raises(Resting) as rested:
        client.get("/x", deadline=soon())
    assert rested.value.signed
    with pytest.raises(Broken) as public:
        client.get("/x", deadline=soon(), signed=False)
    assert not public.value.signed
    assert len(upstream.seen) == 4


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("", None),
        ("-5", None),
        ("99999999", None),
        ("soon", None),
        ("Fri, 20 Nov 2026 12:00:09 GMT", 9.0),
        ("Fri, 20 Nov 2020 12:00:09 GMT", None),
    ],
)
def test_an_absurd_retry_after_is_no_wait(header: str, wait: float | None) -> None:
    assert retry_after(header, NOON) == wait


def test_the_budget_stands_before_every_request(upstream: Upstream, hands: Hands) -> None:
    upstream.on("/x", Reply({}))
    budget = Budget(12.5, 25.0, 10.0, hands.timepiece())
    client = Client(upstream.url, Token("x-api-key", ""), hands.timepiece(), budget)
    for _ in range(3):
        client.get("/x", deadline=hands.deadline())
    assert hands.slept == [1.0]
    with pytest.raises(Throttled, match="budget"):
        client.get("/x", deadline=hands.deadline(0.5))
    assert len(upstream.seen) == 3
    client.close()


def test_the_upstream_clock_is_shown_to_the_credentials(upstream: Upstream) -> None:
    class Watching(Token):
        def observe(self, date: int, now: int) -> None:
            offsets.append(date - now)

    offsets: list[int] = []
    upstream.on("/x", Reply({}, headers={"Date": "Fri, 20 Nov 2026 12:00:41 GMT"}))
    client = Client(upstream.url, Watching("x-api-key", ""), Timepiece(now=lambda: NOON))
    client.get("/x", deadline=soon())
    client.close()
    assert offsets == [41 * MICROS]


def test_a_machine_s_netrc_and_proxies_get_no_credentials(
    client: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    upstream.on("/api/x", Reply({"a": 1}))
    assert client.get("/x", deadline=soon()).body == {"a": 1}


def test_a_secret_is_not_in_a_representation() -> None:
    assert SECRET not in repr(Token("x-api-key", SECRET))


def test_an_opaque_cursor_survives_the_query(client: Client, upstream: Upstream) -> None:
    upstream.on("/api/x", lambda request: Reply({"cursor": request.arg("cursor")}))
    assert client.get("/x", [("cursor", "a+b/c=")], deadline=soon()).body == {"cursor": "a+b/c="}
