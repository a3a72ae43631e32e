"""What was injected outlives a crash."""

from pathlib import Path

from emulators.world.journal import Entry, Journal


def test_entries_come_back_in_their_order(tmp_path: Path) -> None:
    entries = [Entry(1, "fault", {"analytics": "403"}), Entry(2, "deal", {"name": "Größe"})]
    for entry in entries:
        Journal(tmp_path / "j").append(entry)
    assert list(Journal(tmp_path / "j")) == entries


def test_a_torn_last_line_is_left_out_and_spoils_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append(Entry(1, "fault", {}))
    with (tmp_path / "j").open("a") as file:
        file.write('{"time": 2, "ki')
    journal.append(Entry(3, "fault", {}))
    assert [entry.time for entry in journal] == [1, 3]


def test_nothing_was_told_to_a_new_world(tmp_path: Path) -> None:
    assert list(Journal(tmp_path / "j")) == []
