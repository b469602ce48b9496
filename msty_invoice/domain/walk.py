"""Walking a provider's list of deposits: how deep, from where, and what it proves.

Two clocks meet here. Depths and floors are by the provider's (deposits carry it);
when a walk started is by the database's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# A deposit may be listed this much later than one that happened after it.
LISTED_LATE = timedelta(minutes=10)
# A deposit is never older than its invoice; this much is for clocks that round.
BEFORE_ISSUE = timedelta(minutes=15)
# How long the stretch below a gap is read again and again.
GAP_PATIENCE = timedelta(days=1)
_DAY_DEPTH = timedelta(days=7)


class Depth(StrEnum):
    """Every minute what is new, hourly down to the oldest open invoice, daily a week."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk under way. `next_token` None: it has not read its first page yet.

    `gap`: it may have missed deposits, so it does not prove that an invoice was not paid.
    """

    started_at: datetime
    depth: Depth
    floor: datetime
    top: datetime | None = None
    next_token: str | None = None
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a provider's list was read when the lease on it was taken.

    `first_issued_at` is of our first invoice with this provider, `oldest_open_at` of the
    oldest that can still be paid or could until a day ago, `oldest_overdue_at` of the oldest
    that has expired and is still pending; all by the provider's clock.
    """

    provider: str
    now: datetime
    done_down_to: datetime | None
    walk: Walk | None
    hour_started_at: datetime | None
    day_started_at: datetime | None
    first_issued_at: datetime | None
    oldest_open_at: datetime | None
    oldest_overdue_at: datetime | None = None


def next_walk(cursor: Cursor, since: datetime | None = None) -> Walk:
    """The walk to begin now; `since` makes it at least as deep as that."""
    depth = _due(cursor)
    floors = [_minute_floor(cursor)]
    if cursor.oldest_overdue_at:
        # This walk may end it, so it must see whatever was listed late.
        floors.append(cursor.oldest_overdue_at - BEFORE_ISSUE)
    if depth is not Depth.MINUTE and cursor.oldest_open_at:
        floors.append(cursor.oldest_open_at - BEFORE_ISSUE)
    if depth is Depth.DAY:
        # What is older than our first invoice is somebody else's.
        floors.append(max(cursor.now - _DAY_DEPTH, _first_floor(cursor)))
    if since:
        floors.append(since)
    return Walk(started_at=cursor.now, depth=depth, floor=min(floors))


def done_down_to(walk: Walk, before: datetime | None) -> datetime | None:
    """Where the next walk may stop, once `walk` has reached its floor.

    Never later than when it started: a deposit dated in the future stays the newest, and
    every walk would stop below it on the first page. What may have been left out in a gap
    is read again for a day, during which nothing expires; then it is given up.
    """
    if walk.top is None:
        return before
    newest = min(walk.top, walk.started_at) - LISTED_LATE
    if not walk.gap:
        return newest
    return max(before or walk.floor, min(newest, walk.started_at - GAP_PATIENCE))


def _due(cursor: Cursor) -> Depth:
    if _older(cursor.day_started_at, cursor.now - timedelta(days=1)):
        return Depth.DAY
    if _older(cursor.hour_started_at, cursor.now - timedelta(hours=1)):
        return Depth.HOUR
    return Depth.MINUTE


def _older(at: datetime | None, than: datetime) -> bool:
    return at is None or at <= than


def _minute_floor(cursor: Cursor) -> datetime:
    return cursor.done_down_to or _first_floor(cursor)


def _first_floor(cursor: Cursor) -> datetime:
    return (cursor.first_issued_at or cursor.now) - BEFORE_ISSUE
