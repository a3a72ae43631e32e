"""Messages: one vocabulary, the same bytes for every transport."""

from decimal import Decimal

from delivery import frames, messages
from storage import text
from storage.reader import Head

HEAD = Head("e1", 7, 1_000_000, b'{"epoch":"e1","seq":7,"net_pnl":-0.000001}')


def test_a_snapshot_holds_the_stored_text_byte_for_byte() -> None:
    message = messages.snapshot(HEAD, 1500)
    assert message.body == (
        b'{"type":"snapshot","epoch":"e1","seq":7,"sent_at":1500,"data":%b}' % HEAD.text
    )
    assert text.decode(message.body)["data"]["net_pnl"] == Decimal("-0.000001")


def test_a_delta_names_what_it_applies_to() -> None:
    message = messages.delta(HEAD, 3, b'{"seq":7}', 1500, recovered=True)
    fields = text.decode(message.body)
    assert (fields["prev"], fields["recovered"], fields["data"]) == (3, True, {"seq": 7})
    assert (message.prev, message.seq) == (3, 7)


def test_a_beat_tells_the_age_of_the_figures() -> None:
    assert text.decode(messages.beat(HEAD, 1500).body)["age_ms"] == 500


def test_a_clock_behind_the_writer_gives_no_negative_age() -> None:
    assert text.decode(messages.beat(HEAD, 10).body)["age_ms"] == 0


def test_a_bye_says_when_to_come_back() -> None:
    expected = {"type": "bye", "code": "shutdown", "reason": "restart", "retry_ms": 250}
    assert text.decode(messages.bye("shutdown", "restart", 250).body) == expected


def test_every_transport_carries_the_same_body() -> None:
    message = messages.snapshot(HEAD, 1500)
    assert message.frame == frames.text(message.body)
    assert message.event == b"id: e1:7\ndata: %b\n\n" % message.body
