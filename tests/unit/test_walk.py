"""How deep a walk goes, and what a complete one proves."""

from datetime import datetime, timedelta

import pytest

from msty_invoice.domain.walk import Cursor, Depth, Walk, done_down_to, next_walk
from tests.fakes import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def cursor(**changes: object) -> Cursor:
    """A provider that was walked a minute ago, at every depth."""
    fields: dict[str, object] = {
        "provider": "river",
        "now": NOON,
        "done_down_to": NOON - 11 * MINUTE,
        "walk": None,
        "hour_started_at": NOON - MINUTE,
        "day_started_at": NOON - MINUTE,
        "first_issued_at": NOON - 30 * DAY,
        "oldest_open_at": NOON - 50 * MINUTE,
    }
    return Cursor(**fields | changes)  # type: ignore[arg-type]


def test_a_minutely_walk_reads_what_is_new() -> None:
    walk = next_walk(cursor())

    assert walk == Walk(started_at=NOON, depth=Depth.MINUTE, floor=NOON - 11 * MINUTE)


def test_an_hourly_walk_goes_down_to_the_oldest_open_invoice() -> None:
    walk = next_walk(cursor(hour_started_at=NOON - HOUR))

    assert (walk.depth, walk.floor) == (Depth.HOUR, NOON - 50 * MINUTE - 15 * MINUTE)


def test_a_daily_walk_goes_down_a_week() -> None:
    walk = next_walk(cursor(day_started_at=NOON - DAY))

    assert (walk.depth, walk.floor) == (Depth.DAY, NOON - 7 * DAY)


def test_a_daily_walk_also_goes_down_to_an_older_open_invoice() -> None:
    walk = next_walk(cursor(day_started_at=None, oldest_open_at=NOON - 9 * DAY))

    assert walk.floor == NOON - 9 * DAY - 15 * MINUTE


def test_nothing_before_our_first_invoice_is_ours() -> None:
    walk = next_walk(
        cursor(done_down_to=None, day_started_at=None, first_issued_at=NOON - HOUR,
               oldest_open_at=NOON - HOUR)
    )  # fmt: skip

    assert walk.floor == NOON - HOUR - 15 * MINUTE


def test_without_any_invoice_the_history_of_an_account_is_left_alone() -> None:
    fresh = cursor(done_down_to=None, hour_started_at=None, day_started_at=None,
                   first_issued_at=None, oldest_open_at=None)  # fmt: skip

    assert next_walk(fresh).floor == NOON - 15 * MINUTE


def test_a_walk_is_never_less_deep_than_what_is_not_yet_done() -> None:
    behind = cursor(done_down_to=NOON - 3 * DAY, hour_started_at=NOON - HOUR)

    assert next_walk(behind).floor == NOON - 3 * DAY


def test_an_operator_can_ask_for_a_deeper_walk() -> None:
    assert next_walk(cursor(), since=NOON - 90 * DAY).floor == NOON - 90 * DAY


@pytest.mark.parametrize(
    ("hour", "day", "depth"),
    [
        (HOUR - MINUTE, DAY - MINUTE, Depth.MINUTE),
        (HOUR, DAY - MINUTE, Depth.HOUR),
        (HOUR, DAY, Depth.DAY),
        (MINUTE, DAY, Depth.DAY),
    ],
)
def test_each_depth_comes_when_it_is_due(hour: timedelta, day: timedelta, depth: Depth) -> None:
    due = cursor(hour_started_at=NOON - hour, day_started_at=NOON - day)

    assert next_walk(due).depth is depth


def test_what_may_still_be_listed_late_is_read_again() -> None:
    walk = Walk(NOON, Depth.MINUTE, NOON - DAY, top=NOON - MINUTE)

    assert done_down_to(walk, NOON - DAY) == NOON - 11 * MINUTE


def test_a_deposit_dated_in_the_future_ends_no_later_walk_early() -> None:
    walk = Walk(NOON, Depth.MINUTE, NOON - DAY, top=NOON + DAY)

    assert done_down_to(walk, NOON - DAY) == NOON - 10 * MINUTE


@pytest.mark.parametrize("before", [None, NOON - DAY])
def test_an_empty_list_moves_nothing(before: datetime | None) -> None:
    assert done_down_to(Walk(NOON, Depth.MINUTE, NOON - DAY), before) == before


def test_the_stretch_below_a_gap_is_read_again_for_a_day() -> None:
    walk = Walk(NOON, Depth.MINUTE, NOON - HOUR, top=NOON - MINUTE, gap=True)

    assert done_down_to(walk, NOON - HOUR) == NOON - HOUR
    assert done_down_to(walk, None) == NOON - HOUR
    assert done_down_to(walk, NOON - 3 * DAY) == NOON - DAY


def test_a_walk_that_may_end_an_overdue_invoice_sees_what_was_listed_late() -> None:
    walk = next_walk(cursor(oldest_overdue_at=NOON - 3 * HOUR))

    assert (walk.depth, walk.floor) == (Depth.MINUTE, NOON - 3 * HOUR - 15 * MINUTE)
