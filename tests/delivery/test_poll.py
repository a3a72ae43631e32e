"""The live document by polling."""

from decimal import Decimal

import pytest
import requests

from storage import text
from tests.delivery.conftest import Database, Web, eventually
from tests.delivery.peers import Follower


def test_the_newest_document_comes_as_stored(web: Web, database: Database) -> None:
    seq = database.append(Decimal("-1234.560001"))
    eventually(lambda: web.get("/api/pnl/current").json()["seq"] == seq)
    answer = web.get("/api/pnl/current")
    assert answer.headers["Content-Type"] == "application/json"
    assert text.decode(answer.content) == database.documents[seq]


def test_a_known_document_is_not_sent_again(web: Web, database: Database) -> None:
    tag = web.get("/api/pnl/current").headers["ETag"]
    assert tag == f'"{database.epoch}:{database.last}"'
    same = web.get("/api/pnl/current", headers={"If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    database.append(2)
    eventually(
        lambda: web.get("/api/pnl/current", headers={"If-None-Match": tag}).status_code == 200
    )


def test_a_compressing_server_leaves_tag_and_bytes_alone(web: Web, database: Database) -> None:
    given = {"Accept-Encoding": "gzip, br, zstd"}
    answer = web.get("/api/pnl/current?_=1", headers=given)
    assert answer.headers["ETag"] == f'"{database.epoch}:{database.last}"'
    assert "Content-Encoding" not in answer.headers
    assert len(answer.content) == int(answer.headers["Content-Length"])


def test_asking_for_the_head_gives_the_tag_only(standing: Web) -> None:
    answer = requests.head(f"{standing.base}/api/pnl/current", timeout=20)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["ETag"] == standing.get("/api/pnl/current").headers["ETag"]


def test_what_is_missed_comes_as_one_message(web: Web, database: Database) -> None:
    page = Follower()
    page.repair(web.base)
    assert page.document == database.documents[database.last]
    for net in range(20):
        last = database.append(net, trading={f"m{net}": net})
    eventually(lambda: web.get("/api/pnl/current").json()["seq"] == last)
    answer = web.get("/api/pnl/current", params={"epoch": page.epoch, "after": page.seq})
    assert answer.headers["Cache-Control"] == "no-store"
    body = text.decode(answer.content)
    assert (body["epoch"], body["seq"], len(body["messages"])) == (page.epoch, last, 1)
    assert body["messages"][0]["recovered"] is True
    assert page.take(body["messages"][0])
    assert page.document == database.documents[last]


def test_who_holds_the_head_gets_a_beat(standing: Web) -> None:
    held = standing.get("/api/pnl/current").json()
    given = {"epoch": held["epoch"], "after": held["seq"]}
    body = standing.get("/api/pnl/current", params=given).json()
    assert [message["type"] for message in body["messages"]] == ["beat"]


def test_another_epoch_gets_the_whole_document(standing: Web) -> None:
    body = standing.get("/api/pnl/current?epoch=other&after=1").json()
    (message,) = body["messages"]
    assert (message["type"], message["recovered"]) == ("snapshot", False)


@pytest.mark.parametrize("query", ["?after=1", "?epoch=e", "?epoch=e&after=-1"])
def test_half_a_position_is_refused(standing: Web, query: str) -> None:
    answer = standing.get(f"/api/pnl/current{query}")
    assert (answer.status_code, answer.json()["field"] in {"epoch", "after"}) == (400, True)
