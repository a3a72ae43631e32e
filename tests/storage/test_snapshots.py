"""Snapshots at rest: numbered by the database, the document's text for the replay window."""

from decimal import Decimal

import pytest

from ledger.bucket import Row
from ledger.moment import MICROS
from storage.errors import LeaseLost, NotExact
from storage.lease import Lease
from storage.schema import FIGURES
from tests.storage.databases import FILL, NOW, Database, document

ZERO = dict.fromkeys(FIGURES, 0)


def test_the_text_kept_names_its_own_epoch_and_seq(db: Database) -> None:
    seq, text = db.snapshots.append(NOW, ZERO, document, {}, {})
    assert text == f'{{"epoch":"{db.snapshots.epoch()}","seq":{seq}}}'.encode()
    assert db.snapshots.last() == (seq, NOW, text)


def test_seq_grows_by_one_from_1(db: Database) -> None:
    assert [db.append() for _ in range(3)] == [1, 2, 3]


def test_there_is_none_before_the_first(db: Database) -> None:
    assert db.snapshots.last() is None


def test_every_figure_is_kept_as_an_integer(db: Database) -> None:
    figures = {name: (-1) ** place * (2**60 + place) for place, name in enumerate(FIGURES)}
    db.snapshots.append(NOW, figures, document, {}, {})
    assert db.rows(f"select as_of, {', '.join(FIGURES)} from snapshots") == [  # noqa: S608 - ours
        (NOW, *figures.values())
    ]


def test_document_rows_meta_and_what_is_pending_are_one_transaction(db: Database) -> None:
    row = Row(NOW, 0, 0, 0, 0, 0)
    db.record(FILL)

    def broken(_epoch: str, _seq: int) -> dict[str, object]:
        return {"net_pnl": Decimal("NaN")}

    with pytest.raises(NotExact):
        db.snapshots.append(NOW, ZERO, broken, {"1m": [row]}, {"complete": "1"})
    assert db.snapshots.last() is None
    assert db.facts.pending() == NOW
    db.snapshots.append(NOW, ZERO, document, {"1m": [row]}, {"complete": "1"})
    assert db.rollups.load("1m", 0) == [row]
    assert db.snapshots.meta()["complete"] == "1"
    assert db.facts.pending() is None


def test_meta_is_merged_and_can_be_remembered_without_a_snapshot(db: Database) -> None:
    db.snapshots.remember({"mode": "demo", "complete": "0"})
    db.append(meta={"complete": "1"})
    epoch = db.snapshots.epoch()
    assert db.snapshots.meta() == {"epoch": epoch, "mode": "demo", "complete": "1"}
    assert db.snapshots.last() is not None


def test_who_lost_the_lease_appends_nothing(db: Database) -> None:
    db.lease.release()
    assert Lease(db.engine, "other").attempt()
    with pytest.raises(LeaseLost):
        db.append()
    with pytest.raises(LeaseLost):
        db.snapshots.remember({"mode": "demo"})
    assert db.snapshots.last() is None
    assert "mode" not in db.snapshots.meta()


def kept(db: Database) -> list[int]:
    """Return the seqs whose text is kept."""
    return [seq for (seq,) in db.rows("select seq from documents order by seq")]


def test_prune_keeps_the_newest_whatever_their_age(db: Database) -> None:
    for second in range(6):
        db.append(NOW + second * 100 * MICROS)
    db.snapshots.prune(keep=4, seconds=0)
    assert kept(db) == [3, 4, 5, 6]


def test_prune_keeps_the_last_seconds_however_many_they_are(db: Database) -> None:
    for second in range(6):
        db.append(NOW + second * 100 * MICROS)
    db.snapshots.prune(keep=1, seconds=300)
    assert kept(db) == [3, 4, 5, 6]


def test_prune_keeps_every_figure_and_never_gives_a_seq_again(db: Database) -> None:
    for second in range(4):
        db.append(NOW + second * MICROS)
    db.snapshots.prune(keep=1, seconds=0)
    assert kept(db) == [4]
    assert db.rows("select count(*) from snapshots") == [(4,)]
    assert db.append() == 5


def test_prune_of_nothing_is_nothing(db: Database) -> None:
    db.snapshots.prune()
    assert kept(db) == []
