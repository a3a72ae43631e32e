"""The one door: each read sees one state of the database, from any thread or greenlet."""

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from ledger.bucket import Row
from ledger.moment import MICROS
from storage import engine, schema
from storage.errors import NotReady
from storage.reader import Head, Reader
from storage.snapshots import Snapshots
from storage.tiers import HOT, Tiers
from tests.storage.databases import NOW, Database, fill
from tests.storage.processes import RedisServer, Start, line

WRITER = """
import sys, threading
from ledger.bucket import Row
from ledger.moment import MINUTE
from storage import engine, schema
from storage.lease import Lease
from storage.schema import FIGURES
from storage.snapshots import Snapshots
from tests.storage.databases import NOW

written = engine.writer(sys.argv[1])
schema.upgrade(written)
lease = Lease(written, "child")
lease.acquire(threading.Event())
snapshots = Snapshots(written, lease.guard)
bucket, meta = NOW - NOW % MINUTE, {"complete": "1", "opening_revenue": "11"}
print("ready", flush=True)
while True:
    last = snapshots.last()
    net = (last[0] + 1 if last else 1) * 7
    row = Row(bucket, 0, net, 0, net, 0, revenue=net, cost=11)
    rows = {period: [row] for period in ("1m", "5m", "1h")}
    figures = dict.fromkeys(FIGURES, 0) | {"net": 2 * net}
    snapshots.append(NOW, figures, lambda epoch, seq: {"seq": seq, "net": 2 * net}, rows, meta)
"""

GREENLETS = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent
from gevent import get_hub
from storage.reader import Reader
from storage.text import decode

reader = Reader(sys.argv[1])

def looked():
    before = 0
    for _ in range(20):
        reader.changed()
        head = reader.head()
        assert decode(head.text)["seq"] == head.seq >= before
        before = head.seq
        gevent.sleep(0)

def listed():
    for _ in range(5):
        seq, rows = reader.fills()
        assert len(list(rows)) == 1200
        series = reader.series("1m")
        assert list(series.rows)[-1]["net_close"] == 14 * series.seq

pool = get_hub().threadpool
jobs = [gevent.spawn(looked) for _ in range(8)] + [pool.spawn(listed) for _ in range(4)]
stream = reader.fills()[1]
first = next(stream)
rest = pool.spawn(lambda: sum(1 for _ in stream))
for job in jobs:
    job.get(timeout=60)
assert rest.get(timeout=60) == 1199
print("ok", flush=True)
"""


def test_it_waits_for_file_schema_and_snapshot_and_recovers_by_itself(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/late.db"
    reader = Reader(url)
    with pytest.raises(NotReady, match="no schema yet"):
        reader.ping()
    made = engine.writer(url)
    schema.upgrade(made)
    reader.ping()
    for read in (reader.head, reader.oldest, reader.series, reader.fills):
        with pytest.raises(NotReady, match="no snapshot yet"):
            read()
    assert reader.documents(0) == []
    Snapshots(made, engine.unguarded).append(
        NOW, dict.fromkeys(schema.FIGURES, 0), lambda *_: {"a": 1}, {}, {}
    )
    assert reader.head().text == b'{"a":1}'
    made.dispose()
    reader.close()


def test_the_head_is_the_newest_document_with_its_epoch(db: Database) -> None:
    db.append(NOW)
    seq = db.append(NOW + 1)
    epoch = db.snapshots.epoch()
    text = f'{{"epoch":"{epoch}","seq":{seq}}}'.encode()
    assert db.reader.head() == Head(epoch, seq, NOW + 1, text)


def test_documents_after_a_seq_come_in_order(db: Database) -> None:
    for place in range(4):
        db.append(NOW + place)
    heads = db.reader.documents(1)
    assert [(head.seq, head.as_of) for head in heads] == [(2, NOW + 1), (3, NOW + 2), (4, NOW + 3)]
    assert heads[-1] == db.reader.head()
    assert db.reader.documents(4) == []


def test_the_oldest_document_is_the_oldest_of_the_replay_window(db: Database) -> None:
    for place in range(4):
        db.append(NOW + place * MICROS)
    assert db.reader.oldest() == 1
    db.snapshots.prune(keep=2, seconds=0)
    assert db.reader.oldest() == 3
    assert [head.seq for head in db.reader.documents(0)] == [3, 4]


def test_the_last_close_is_the_net_of_the_head(db: Database) -> None:
    row = Row(NOW - NOW % 60_000_000, 0, 5, -5, 3, 2, revenue=10**18 + 1, cost=4)
    meta = {"complete": "1", "opening_revenue": "100"}
    net = 3 + 10**18 + 1 - 4 + 100
    seq = db.append(NOW, {"1m": [row], "5m": [row], "1h": [row]}, meta, net)
    for period in ("1m", "5m", "1h"):
        found = db.reader.series(period)
        assert found.seq == seq
        assert list(found.rows)[-1]["net_close"] == net
    assert db.rows("select net from snapshots") == [(net,)]


def test_the_bell_rings_for_what_is_appended(db: Database) -> None:
    db.reader.changed()
    assert not db.reader.changed()
    db.append()
    assert db.reader.changed()


def test_a_reader_never_takes_a_lock_that_a_writer_waits_for(db: Database) -> None:
    db.append()
    db.record(*(fill(f"{n:05}", NOW + n) for n in range(1_200)))
    _, rows = db.reader.fills()
    next(rows)
    db.record(fill("x"))
    db.append()
    assert len(list(rows)) == 1_199


def test_a_list_nobody_reads_on_lets_go_of_its_connection(db: Database) -> None:
    db.append()
    db.record(*(fill(f"{n:05}", NOW + n) for n in range(1_200)))
    started, untouched = db.reader.fills()[1], db.reader.fills()[1]
    next(started)
    del started, untouched
    gc.collect()
    (busy, _, _) = db.rows("pragma wal_checkpoint(truncate)")[0]
    assert busy == 0


def test_an_unreadable_database_is_an_error_and_not_a_wait(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_text("no database at all " * 100)
    with pytest.raises(DatabaseError):
        Reader(f"sqlite:///{tmp_path}/bad.db").ping()


def test_every_read_beside_a_writing_process_is_of_one_state(tmp_path: Path, start: Start) -> None:
    url = f"sqlite:///{tmp_path}/live.db"
    writer = start(WRITER, url)
    assert line(writer) == "ready"
    reader, seqs = Reader(url), set[int]()
    while len(seqs) < 100:
        try:
            found = reader.series("1m")
        except NotReady:
            continue
        (row,) = found.rows
        assert row["net_close"] == 14 * found.seq
        seqs.add(found.seq)
        assert reader.head().seq >= found.seq
    assert seqs
    reader.close()


def test_greenlets_and_threads_of_gevent_read_at_once(
    fresh: Callable[[], Database], start: Start
) -> None:
    db = fresh()
    db.record(*(fill(f"{n:05}", NOW + n) for n in range(1_200)))
    db.lease.release()
    writer = start(WRITER, db.url)
    assert line(writer) == "ready"
    while not db.reader.changed() or db.snapshots.last() is None:
        pass
    assert line(start(GREENLETS, db.url)) == "ok"


def test_the_hot_tier_is_used_only_when_it_is_as_new_and_of_this_database(
    db: Database, redis_server: RedisServer
) -> None:
    tiers, reader = Tiers(redis_server.url), Reader(db.url, redis_server.url)
    epoch = db.snapshots.epoch()
    db.append(NOW)
    db.append(NOW)
    kept = reader.head()
    tiers.publish(epoch, 1, NOW, b"older")
    assert reader.head() == kept
    tiers.publish("other", 3, NOW, b"other")
    assert reader.head() == kept
    tiers.publish(epoch, 2, NOW, b"hot")
    assert reader.head() == Head(epoch, 2, NOW, b"hot")
    tiers.set(HOT, ["no head"], 30)
    assert reader.head() == kept
    redis_server.kill()
    assert reader.head() == kept
    tiers.close()
    reader.close()
