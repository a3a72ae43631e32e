"""Deals over HTTP: a list with filters and pages, made and changed by whoever may."""

import csv
import io
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import requests

from ledger import moment
from ledger.facts import Deal, Status
from ledger.money import NANO
from pipeline.commands import Commands
from storage.engine import unguarded
from storage.facts import Page
from storage.inbox import Inbox
from tests.delivery.conftest import Database, Web, eventually

PILOT = {"name": "Pilot", "status": "recognized", "amount": "12.345678"} | {
    "closed_date": "2026-11-02"
}
NOW = moment.parse("2026-11-20T12:00:00Z")
DEALS = [
    Deal("revenue", "a", "A", Status.RECOGNIZED, 5 * NANO, NOW, closed_date=date(2026, 3, 1)),
    Deal("revenue", "b", "B", Status.PENDING, NANO, NOW, "EUR", date(2026, 4, 1)),
    Deal("hubspot", "c", "=C", Status.PIPELINE, NANO, NOW, probability=Decimal("0.25")),
    Deal("csv", "d/e", "D", Status.RECOGNIZED, -NANO, NOW, recognized_at=date(2026, 5, 1)),
]


@contextmanager
def worker(database: Database) -> Iterator[Commands]:
    """Obey commands as the worker does, until the block ends."""
    inbox = Inbox(database.engine, unguarded)
    commands = Commands(database.facts, inbox)
    ended = threading.Event()

    def obey() -> None:
        while not ended.wait(0.01):
            commands.run()

    thread = threading.Thread(target=obey)
    thread.start()
    yield commands
    ended.set()
    thread.join()


@pytest.fixture
def obeyed(web: Web, database: Database) -> Iterator[Web]:
    """Return the web process while a worker obeys."""
    with worker(database):
        yield web


def send(web: Web, method: str, path: str = "", *, key: str, **given: Any) -> requests.Response:
    """Send one command with this key."""
    headers = {"Idempotency-Key": key, **given.pop("headers", {})}
    url = f"{web.base}/api/revenue/deals{path}"
    return requests.request(method, url, headers=headers, timeout=20, **given)


KEYS = iter(range(10**6))


def ask(web: Web, method: str, path: str = "", **given: Any) -> requests.Response:
    """Send one command with a key nobody used."""
    return send(web, method, path, key=f"key-{next(KEYS)}", **given)


def test_a_deal_is_made_changed_and_taken_back(obeyed: Web) -> None:
    made = ask(obeyed, "POST", json=PILOT)
    assert made.status_code == 201, made.text
    row = made.json()
    assert made.headers["Location"] == f"/api/revenue/deals/{row['id']}"
    assert (row["name"], row["amount"], row["source"]) == ("Pilot", 12.345678, "manual")
    assert row["amount_usd"] == 12.345678
    assert "notes" not in row
    path = f"/{row['id']}"
    read = obeyed.get(f"/api/revenue/deals{path}")
    assert (read.json(), read.headers["ETag"]) == (row, made.headers["ETag"])
    match = {"If-Match": made.headers["ETag"]}
    changed = ask(obeyed, "PUT", path, json={"amount": 7}, headers=match)
    assert (changed.status_code, changed.json()["amount"]) == (200, 7)
    late = ask(obeyed, "PUT", path, json={"amount": 8}, headers=match)
    assert (late.status_code, late.headers["Content-Type"]) == (412, "application/problem+json")
    void = ask(obeyed, "DELETE", path, headers={"If-Match": changed.headers["ETag"]})
    assert (void.status_code, void.json()["status"]) == (200, "void")
    rows = obeyed.get("/api/audit", params={"subject": f"deal manual/{row['id']}"}).json()["rows"]
    assert [entry["action"] for entry in rows] == ["void", "edit", "create"]
    assert json.loads(rows[1]["before"])["amount"] == "12.345678"
    assert json.loads(rows[1]["after"])["amount"] == "7"


def test_the_same_key_is_the_same_answer_and_another_body_422(obeyed: Web) -> None:
    first = send(obeyed, "POST", key="same", json=PILOT)
    again = send(obeyed, "POST", key="same", json=PILOT)
    assert (again.status_code, again.json()) == (201, first.json())
    other = send(obeyed, "POST", key="same", json=PILOT | {"name": "Other"})
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")


def test_many_at_once_by_one_key_make_one_deal(obeyed: Web) -> None:
    with ThreadPoolExecutor(12) as pool:
        wishes = [pool.submit(send, obeyed, "POST", key="race", json=PILOT) for _ in range(12)]
        answers = [wish.result() for wish in wishes]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_an_edit_sent_with_the_row_it_read_is_held_to_its_time(obeyed: Web) -> None:
    row = ask(obeyed, "POST", json=PILOT).json()
    path = f"/{row['id']}"
    assert ask(obeyed, "PUT", path, json=row | {"amount": 1}).status_code == 200
    stale = ask(obeyed, "PUT", path, json=row | {"amount": 2})
    assert (stale.status_code, "updated_at" in stale.json()) == (409, True)


@pytest.mark.parametrize(
    ("given", "status", "field"),
    [
        ({"data": "name=x"}, 415, None),
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400, "body"),
        ({"data": "[" * 9999, "headers": {"Content-Type": "application/json"}}, 400, "body"),
        ({"json": []}, 400, "body"),
        ({"json": {"name": {}}}, 400, "name"),
        ({"json": PILOT | {"amount": "ten"}}, 400, "amount"),
        ({"json": PILOT | {"color": "red"}}, 400, "color"),
        ({"data": '{"amount": 1e999}', "headers": {"Content-Type": "application/json"}}, 400,
         "amount"),
        ({"data": '{"amount": NaN}', "headers": {"Content-Type": "application/json"}}, 400, "body"),
        ({"data": '{"name": "\\ud800"}', "headers": {"Content-Type": "application/json"}}, 400,
         "'name'"),
        ({"json": {"name": "x" * 1_100_000}}, 413, None),
    ],
)  # fmt: skip
def test_a_body_that_is_no_deal_is_a_problem_with_its_field(
    obeyed: Web, given: dict[str, Any], status: int, field: str | None
) -> None:
    answer = ask(obeyed, "POST", **given)
    assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_amount_is_taken_as_it_was_written(obeyed: Web, database: Database) -> None:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(PILOT).replace('"12.345678"', "0.100000001")
    row = ask(obeyed, "POST", data=body, headers=headers).json()
    (deal,) = database.facts.deals_named([row["id"]])
    assert deal.amount == 100_000_001


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_command_needs_a_key(obeyed: Web, key: str) -> None:
    answer = requests.post(
        f"{obeyed.base}/api/revenue/deals",
        json=PILOT,
        headers={"Idempotency-Key": key},
        timeout=20,
    )
    assert (answer.status_code, answer.json()["field"]) == (400, "Idempotency-Key")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/x"), ("DELETE", "/x")])
def test_another_sites_page_changes_nothing(
    obeyed: Web, headers: dict[str, str], method: str, path: str
) -> None:
    assert ask(obeyed, method, path, json=PILOT, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://pnl.example.com"},
        {"Origin": "https://pnl.example.com", "Sec-Fetch-Site": "cross-site"},
        {"Host": "pnl.example.com"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_our_own_pages_may(obeyed: Web, headers: dict[str, str]) -> None:
    assert ask(obeyed, "POST", json=PILOT, headers=headers).status_code == 201


def test_without_a_worker_the_answer_waits_where_it_says(
    start: Callable[..., Web], database: Database
) -> None:
    database.append(1)
    web = start(patience=0.2)
    asked = ask(web, "POST", json=PILOT)
    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
    place = asked.headers["Location"]
    assert web.get(place).status_code == 202
    with worker(database):
        row = eventually(lambda: (got := web.get(place)).status_code == 201 and got.json())
    assert row["name"] == "Pilot"
    assert len(database.facts.deals()) == 1


def test_a_locked_database_is_503_and_the_command_is_not_lost(
    start: Callable[..., Web], database: Database
) -> None:
    database.append(1)
    web = start(patience=0.5)
    with database.engine.begin():
        busy = send(web, "POST", key="again", json=PILOT)
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "2")
        assert web.get("/api/revenue/deals").status_code == 200
    with worker(database):
        eventually(lambda: send(web, "POST", key="again", json=PILOT).status_code == 201)
    assert len(database.facts.deals()) == 1


def test_without_a_database_nothing_is_made(start: Callable[..., Web], tmp_path: Any) -> None:
    web = start(url=f"sqlite:///{tmp_path / 'none.db'}")
    assert ask(web, "POST", json=PILOT).status_code == 503
    assert not (tmp_path / "none.db").exists()


def test_a_command_that_is_not_there_is_404(standing: Web) -> None:
    assert standing.get("/api/commands/987654").status_code == 404


FILE = "id;name;status;amount\nf1;Ä;pending;5\nf2;B;pending;1,5\n"


def load(web: Web, query: str = "", **given: Any) -> requests.Response:
    """Send a file."""
    given.setdefault("headers", {"Content-Type": "text/csv"})
    given.setdefault("data", FILE.encode())
    return ask(web, "POST", f"/import{query}", **given)


def test_a_file_is_shown_then_taken(obeyed: Web) -> None:
    shown = load(obeyed, "?dry_run=1").json()
    assert (shown["applied"], shown["new"], shown["refused"]) == (False, 1, 1)
    assert shown["preview"][0]["deal"]["name"] == "Ä"
    none = load(obeyed)
    assert (none.status_code, none.json()["errors"][0]["line"]) == (400, 3)
    assert obeyed.get("/api/revenue/deals/f1").status_code == 404
    taken = load(obeyed, "?partial=1").json()
    assert (taken["applied"], taken["new"]) == (True, 1)
    assert obeyed.get("/api/revenue/deals/f1").json()["source"] == "csv"
    assert load(obeyed, "?partial=1").json()["unchanged"] == 1


def test_a_dry_run_needs_no_key(obeyed: Web) -> None:
    answer = requests.post(
        f"{obeyed.base}/api/revenue/deals/import?dry_run=1",
        data=FILE.encode(),
        headers={"Content-Type": "text/csv"},
        timeout=20,
    )
    assert answer.status_code == 200


def test_a_form_brings_the_same_file(obeyed: Web) -> None:
    files = {"file": ("deals.csv", FILE.encode(), "text/csv")}
    answer = load(obeyed, "?dry_run=1", files=files, data=None, headers={})
    assert answer.json()["rows"] == 2
    none = load(obeyed, files={"other": b"x"}, data=None, headers={})
    assert (none.status_code, none.json()["field"]) == (400, "file")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"data": b"x" * 1_000_001}, 413),
        ({"files": {"file": b"x" * 1_000_001}, "data": None, "headers": {}}, 413),
        ({"files": {"file": b"x" * 1_500_000}, "data": None, "headers": {}}, 413),
        ({"data": "id,name\nä".encode("latin-1")}, 400),
        ({"headers": {"Content-Type": "application/json"}}, 415),
        ({"data": b""}, 400),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(
    obeyed: Web, given: dict[str, Any], status: int
) -> None:
    answer = load(obeyed, **given)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def kept(database: Database) -> None:
    """Put four deals of three sources in."""
    database.facts.record(Page("revenue", tuple(DEALS)))


def listed(web: Web, **params: Any) -> list[str]:
    return [row["id"] for row in web.get("/api/revenue/deals", params=params).json()["rows"]]


@pytest.fixture
def shelf(fresh: Web, database: Database) -> Web:
    """Return a web process whose database holds four deals and nothing else."""
    kept(database)
    return fresh


def test_deals_are_listed_newest_day_first_and_filtered(shelf: Web) -> None:
    assert listed(shelf) == ["d/e", "b", "a", "c"]
    assert listed(shelf, status="recognized") == ["d/e", "a"]
    assert listed(shelf, source="hubspot") == ["c"]
    assert listed(shelf, **{"from": "2026-03-01T10:00:00Z", "to": "2026-04-01T10:00:00Z"}) == ["a"]
    assert listed(shelf, **{"from": "2026-03-01T10:00:01Z", "to": "2026-04-01T10:00:01Z"}) == ["b"]
    refused = shelf.get("/api/revenue/deals?status=won")
    assert (refused.status_code, refused.json()["field"]) == (400, "status")


def test_a_row_says_what_it_is_worth_or_that_it_is_not_counted(
    shelf: Web, database: Database
) -> None:
    rows = {row["id"]: row for row in shelf.get("/api/revenue/deals").json()["rows"]}
    assert rows["d/e"]["amount_usd"] == -1
    assert "amount_usd" not in rows["b"]
    assert rows["b"]["flag"] == "no rate for EUR: not counted"
    assert rows["c"]["probability"] == 0.25
    assert "closed_date" not in rows["c"]
    database.facts.convert({"EUR": Decimal("1.08")})
    row = shelf.get("/api/revenue/deals/b").json()
    assert (row["amount_usd"], row["rate"], "rate_date" in row) == (1.08, 1.08, False)
    assert shelf.get("/api/revenue/deals/d/e").json()["name"] == "D"


def test_pages_follow_one_another_without_gap(shelf: Web, database: Database) -> None:
    more = [replace(DEALS[0], id=f"x{n}") for n in range(5)] + [
        replace(DEALS[2], id=f"y{n}", source="revenue") for n in range(5)
    ]
    database.facts.record(Page("revenue", tuple(more)))
    found, cursor = [], ""
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = shelf.get("/api/revenue/deals", params=params).json()
        found += [row["id"] for row in page["rows"]]
        assert len(page["rows"]) <= 3
        cursor = page.get("next_cursor", "")
        if not cursor:
            break
    assert found == listed(shelf)
    assert len(set(found)) == len(DEALS) + 10
    for bad in ("x", "WzFd", "W10"):
        assert shelf.get(f"/api/revenue/deals?cursor={bad}").json()["field"] == "cursor"


def test_the_csv_is_the_same_rows_exactly_and_can_be_imported(
    shelf: Web, database: Database
) -> None:
    answer = shelf.get("/api/revenue/deals.csv?source=csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert (row["id"], row["amount"], row["amount_usd"]) == ("d/e", "-1", "-1")
    with worker(database):
        told = load(shelf, data=answer.content).json()
    assert (told["unchanged"], told["refused"]) == (1, 0), told
    everything = shelf.get("/api/revenue/deals.csv")
    assert "'=C" in everything.text
    with worker(database):
        told = load(shelf, "?dry_run=1", data=everything.content).json()
    assert (told["refused"], told["unchanged"]) == (3, 1)


def test_the_audit_has_pages_and_a_csv(obeyed: Web) -> None:
    for _ in range(3):
        ask(obeyed, "POST", json=PILOT | {"name": "@Pilot"})
    first = obeyed.get("/api/audit?limit=2").json()
    second = obeyed.get(f"/api/audit?limit=2&cursor={first['next_cursor']}").json()
    numbers = [row["id"] for page in (first, second) for row in page["rows"]]
    assert numbers == list(range(numbers[0], numbers[0] - 4, -1))
    assert set(first["rows"][0]) == {"id", "time", "actor", "action", "subject", "before", "after"}
    rows = list(csv.DictReader(io.StringIO(obeyed.get("/api/audit.csv").text, newline="")))
    assert [int(row["id"]) for row in rows][:4] == numbers
    assert obeyed.get("/api/audit?cursor=WzEsMl0").status_code == 400
    now = moment.text(moment.system() + moment.DAY)
    assert obeyed.get("/api/audit", params={"from": now}).json()["rows"] == []
