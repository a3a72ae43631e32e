"""Moments: instants are integers; days are what people in their zone call days."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import moment

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
ZONES = [
    "America/Los_Angeles",
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Beirut",
    "Pacific/Apia",
]
INSTANTS = st.integers(moment.EARLIEST, moment.EARLIEST + 30 * 366 * moment.DAY)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-21T18:40:10Z", "2026-11-21T18:40:10.000000Z"),
        ("2026-11-21T18:40:10.5Z", "2026-11-21T18:40:10.500000Z"),
        ("2026-11-21T18:40:10.123456789Z", "2026-11-21T18:40:10.123456Z"),
        ("2026-11-21T10:40:10.000001-08:00", "2026-11-21T18:40:10.000001Z"),
        ("2026-01-01T00:00:00+05:45", "2025-12-31T18:15:00.000000Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_an_instant_is_read_with_its_zone_and_shown_in_utc(text: str, shown: str) -> None:
    assert moment.text(moment.parse(text)) == shown


def test_microseconds_are_kept_and_never_float() -> None:
    assert moment.parse("1970-01-01T00:00:00.000001Z") == 1
    assert moment.parse("1969-12-31T23:59:59.999999Z") == -1
    assert type(moment.parse("2026-11-21T18:40:10.123456Z")) is int


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01T00:00:00Z", 5, None, "2026-11-21T18:40:61Z"]
)
def test_what_is_no_instant_is_refused(text: object) -> None:
    with pytest.raises(moment.MomentError, match="created_time must be RFC 3339"):
        moment.parse(text, "created_time")  # type: ignore[arg-type] # the outside sends anything


@pytest.mark.parametrize("text", ["2026-11-21T18:40:10", "2026-11-21"])
def test_an_instant_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(moment.MomentError, match="time needs a zone"):
        moment.parse(text)


@given(INSTANTS)
def test_text_reads_back(instant: int) -> None:
    assert moment.parse(moment.text(instant)) == instant
    assert moment.of(moment.aware(instant)) == instant
    assert moment.of(moment.aware(instant, LOS_ANGELES)) == instant


def test_the_system_clock_counts_microseconds() -> None:
    before, now, after = time.time_ns() // 1_000, moment.system(), time.time_ns() // 1_000
    assert before <= now <= after


def test_widths_are_microseconds() -> None:
    assert (moment.MICROS, moment.MINUTE) == (10**6, 60 * 10**6)
    assert (moment.HOUR, moment.DAY) == (3_600 * 10**6, 86_400 * 10**6)


def test_unix_seconds_become_instants() -> None:
    assert moment.seconds(1_262_304_000) == moment.EARLIEST
    assert moment.text(moment.EARLIEST) == "2010-01-01T00:00:00.000000Z"


@given(st.integers(-(10**15), 10**16), st.sampled_from([moment.MINUTE, moment.HOUR, moment.DAY]))
def test_a_bucket_begins_on_the_grid_and_holds_its_instant(instant: int, width: int) -> None:
    start = moment.floor(instant, width)
    assert start % width == 0
    assert start <= instant < start + width


def test_a_calendar_date_is_read() -> None:
    assert moment.calendar_date("2026-02-28") == date(2026, 2, 28)


@pytest.mark.parametrize("text", ["2026-02-29", "28.02.2026", "", None, 20260228])
def test_what_is_no_date_is_refused(text: object) -> None:
    with pytest.raises(moment.MomentError, match="closed_date must be YYYY-MM-DD"):
        moment.calendar_date(text, "closed_date")  # type: ignore[arg-type] # likewise


@given(st.dates(date(2010, 1, 1), date(2060, 1, 1)))
def test_recognition_is_the_same_date_from_minus_10_to_plus_13(day: date) -> None:
    instant = moment.recognition(day)
    assert instant % moment.HOUR == 0
    for hours in range(-10, 14):
        shown = moment.aware(instant) + timedelta(hours=hours)
        assert shown.date() == day
    assert moment.text(instant).endswith("T10:00:00.000000Z")


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-07", 24), ("2026-03-08", 23), ("2026-11-01", 25), ("2026-11-02", 24)],
)
def test_a_day_in_los_angeles_can_have_23_or_25_hours(day: str, hours: int) -> None:
    noon = moment.of(datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=LOS_ANGELES))
    start = moment.day_start(noon, LOS_ANGELES)
    assert moment.next_day(start, LOS_ANGELES) - start == hours * moment.HOUR
    assert moment.day_start(start, LOS_ANGELES) == start
    assert moment.day_start(start - 1, LOS_ANGELES) < start


@given(INSTANTS, st.sampled_from(ZONES).map(ZoneInfo))
def test_an_instant_lies_in_its_day_week_month_and_year(instant: int, zone: ZoneInfo) -> None:
    day = moment.day_start(instant, zone)
    week = moment.week_start(instant, zone)
    month = moment.month_start(instant, zone)
    year = moment.year_start(instant, zone)
    assert year <= month <= day <= instant < moment.next_day(day, zone)
    assert week <= day
    assert day - week < 7 * moment.DAY
    assert moment.next_day(day, zone) - day <= 25 * moment.HOUR
    assert moment.day_start(day, zone) == day


@given(INSTANTS)
def test_days_weeks_months_and_years_begin_at_midnight_in_los_angeles(instant: int) -> None:
    local = moment.aware(instant, LOS_ANGELES)
    midnight = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    month = local.replace(day=1, **midnight)
    week = moment.aware(moment.week_start(instant, LOS_ANGELES), LOS_ANGELES)
    assert moment.aware(moment.month_start(instant, LOS_ANGELES), LOS_ANGELES) == month
    assert moment.aware(moment.year_start(instant, LOS_ANGELES), LOS_ANGELES) == month.replace(
        month=1
    )
    assert (week.strftime("%a %H:%M:%S.%f"), week.date() <= local.date()) == (
        "Mon 00:00:00.000000",
        True,
    )


@pytest.mark.parametrize(
    ("zone", "instant", "start"),
    [
        # Clocks went from 00:00 to 01:00: the day has no midnight and begins with the change.
        ("America/Sao_Paulo", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z"),
        # Clocks went from 01:00 back to 00:00: of two midnights the first begins the day.
        ("America/Havana", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z"),
        # 2011-12-30 never was in Samoa: the day after the 29th is the 31st.
        ("Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T10:00:00Z"),
    ],
)
def test_a_day_begins_with_its_first_instant(zone: str, instant: str, start: str) -> None:
    assert moment.day_start(moment.parse(instant), ZoneInfo(zone)) == moment.parse(start)


def test_the_day_after_a_skipped_one_is_found() -> None:
    zone = ZoneInfo("Pacific/Apia")
    start = moment.of(datetime(2011, 12, 29, tzinfo=zone))
    after = moment.next_day(start, zone)
    assert moment.aware(after, zone).date() == date(2011, 12, 31)


def test_aware_is_utc_unless_a_zone_is_named() -> None:
    assert moment.aware(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert moment.aware(0, LOS_ANGELES).isoformat() == "1969-12-31T16:00:00-08:00"


def test_a_year_below_1000_keeps_its_zeros() -> None:
    assert moment.text(moment.parse("0001-01-01T00:00:00Z")) == "0001-01-01T00:00:00.000000Z"
