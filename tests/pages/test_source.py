"""Where pages read: an empty reading before the first snapshot, the visitor's colours."""

import flask
import pytest

from ledger import moment
from pages import source
from tests.pages.conftest import Database


def test_before_the_first_snapshot_the_reading_is_empty(server: flask.Flask) -> None:
    with server.app_context():
        assert source.reading() == source.Reading(None, None)
        assert tuple(source.minutes(0)) == ()


def test_a_reading_is_one_text_and_what_it_says(database: Database, server: flask.Flask) -> None:
    seq = database.append(moment.system(), [])
    with server.app_context():
        read = source.reading()
    assert read.document is not None
    assert read.document["seq"] == seq
    assert read.text is not None
    assert f'"seq":{seq}' in read.text


def test_the_day_is_that_of_the_figures_and_not_of_the_clock(server: flask.Flask) -> None:
    with server.app_context():
        day = source.day({"as_of": "2026-11-21T07:59:59.000000Z"})
    assert day.start == moment.parse("2026-11-20T08:00:00Z")
    assert day.tick == 10.0


def test_without_figures_the_day_is_today(server: flask.Flask) -> None:
    with server.app_context():
        day = source.day(None)
    assert day.start <= moment.system() < day.end


@pytest.mark.parametrize(
    ("cookie", "scheme"), [("dark", "dark"), ("light", "light"), ("<x>", "light")]
)
def test_the_scheme_is_what_the_visitor_saw_last(
    server: flask.Flask, cookie: str, scheme: str
) -> None:
    with server.test_request_context("/", headers={"Cookie": f"northstar-scheme={cookie}"}):
        assert source.scheme() == scheme
