"""Names beside the facts: kept by kind and id, the newest wins."""

from storage.facts import Name, Page
from tests.storage.databases import Database


def test_a_name_is_read_by_its_kind_and_id(db: Database) -> None:
    names = (Name("workspace", "w1", "Research"), Name("api_key", "k1", "Robot"))
    db.facts.record(Page("anthropic", names=names))
    assert db.facts.names("workspace") == {"w1": "Research"}
    assert db.facts.names("api_key") == {"k1": "Robot"}
    assert db.facts.names("model") == {}


def test_a_newer_name_replaces_the_older_one(db: Database) -> None:
    for name in ("Research", "Science"):
        db.facts.record(Page("anthropic", names=(Name("workspace", "w1", name),)))
    assert db.facts.names("workspace") == {"w1": "Science"}


def test_a_page_that_names_an_id_twice_keeps_the_last(db: Database) -> None:
    twice = (Name("workspace", "w1", "A"), Name("workspace", "w1", "B"))
    db.facts.record(Page("anthropic", names=twice))
    assert db.facts.names("workspace") == {"w1": "B"}
