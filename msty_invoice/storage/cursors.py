"""How far a provider's list was walked, and who may walk it now: one row, fenced by a token."""

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.domain.walk import Cursor, Depth, Walk
from msty_invoice.storage.postgres import Database, Row

# No row: another machine holds it. Correctness never rests on this lease, only economy.
# Our own token: the first try was committed, and its answer was lost.
_ACQUIRE = """
    INSERT INTO provider_cursors AS c (provider, run_token, run_until)
    VALUES (%(provider)s, %(token)s, clock_timestamp() + %(lease)s)
    ON CONFLICT (provider) DO UPDATE
        SET run_token = EXCLUDED.run_token, run_until = EXCLUDED.run_until
        WHERE c.run_until IS NULL OR c.run_until < clock_timestamp()
           OR c.run_token = EXCLUDED.run_token
    RETURNING clock_timestamp(), done_down_to, hour_started_at, day_started_at,
              walk_started_at, walk_depth, walk_floor, walk_top, walk_next,
              walk_gap
"""

# MATERIALIZED: the planner would otherwise look for the oldest of these by walking through
# all that are older.
_ISSUED = """
    WITH expired AS MATERIALIZED (
        SELECT issued_at FROM invoices
        WHERE provider = %(provider)s AND status = 'expired'
          AND expires_at > now() - interval '24 hours'),
    overdue AS MATERIALIZED (
        SELECT issued_at FROM invoices
        WHERE provider = %(provider)s AND status = 'pending' AND expires_at <= clock_timestamp())
    SELECT
        (SELECT min(issued_at) FROM invoices WHERE provider = %(provider)s),
        least(
            (SELECT min(issued_at) FROM invoices
             WHERE provider = %(provider)s AND status = 'pending'),
            (SELECT min(issued_at) FROM expired)),
        (SELECT min(issued_at) FROM overdue)
"""

# Every write is fenced: no row means that the lease was lost, and the pass must stop.
_FENCED = "WHERE provider = %(provider)s AND run_token = %(token)s RETURNING provider"

_SAVE = f"""
    UPDATE provider_cursors
    SET walk_started_at = %(started_at)s, walk_depth = %(depth)s, walk_floor = %(floor)s,
        walk_top = %(top)s, walk_next = %(next_token)s, walk_gap = %(gap)s,
        run_until = clock_timestamp() + %(lease)s
    {_FENCED}
"""  # noqa: S608 - the only text put in is the constant above

_COMPLETE = f"""
    UPDATE provider_cursors
    SET done_down_to = %(done_down_to)s,
        complete_started_at = %(started_at)s,
        hour_started_at = CASE WHEN %(depth)s IN ('hour', 'day') THEN %(started_at)s
                               ELSE hour_started_at END,
        day_started_at = CASE WHEN %(depth)s = 'day' THEN %(started_at)s
                              ELSE day_started_at END,
        walk_started_at = NULL, walk_depth = NULL, walk_floor = NULL, walk_top = NULL,
        walk_next = NULL, walk_gap = false
    {_FENCED}
"""  # noqa: S608

_RELEASE = f"UPDATE provider_cursors SET run_token = NULL, run_until = NULL {_FENCED}"  # noqa: S608

# Only after a complete walk that started later than expiry and grace, by this holder, and
# while no event that was received before that walk is still unread (design §4.7). Never
# while its own deposit is pending at the provider. The cursor is read once, so that due
# invoices are a range of an index.
_EXPIRE = """
    WITH due AS MATERIALIZED (
        SELECT id FROM invoices i
        WHERE provider = %(provider)s AND status = 'pending'
          AND expires_at <= (
              SELECT c.complete_started_at - %(grace)s FROM provider_cursors c
              WHERE c.provider = %(provider)s AND c.run_token = %(token)s
                AND NOT EXISTS (
                    SELECT FROM webhook_events w
                    WHERE w.provider = c.provider AND w.type = 'DEPOSIT'
                      AND w.done_at IS NULL AND w.parked_at IS NULL
                      AND w.received_at < c.complete_started_at))
          AND NOT EXISTS (
              SELECT FROM open_deposits o
              WHERE o.provider = i.provider AND o.intent_ref = i.provider_ref
                AND o.ended_at IS NULL)
        ORDER BY expires_at
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED),
    x AS (
        UPDATE invoices i SET status = 'expired', updated_at = now()
        FROM due
        WHERE i.id = due.id AND i.status = 'pending'
        RETURNING i.id),
    e AS (INSERT INTO invoice_events (invoice_id, what, how) SELECT id, 'expired', 'walk' FROM x)
    SELECT count(*) FROM x
"""

# By how much the provider's clock and ours differed when it made the newest invoice.
_SKEW = """
    SELECT issued_at - created_at FROM invoices
    WHERE provider = %(provider)s
    ORDER BY issued_at DESC
    LIMIT 1
"""


class PostgresCursors:
    """Implements `settlement_ports.CursorStore`: one holder's view of one provider's cursor."""

    def __init__(self, database: Database, lease: timedelta = timedelta(seconds=90)) -> None:
        self._database = database
        self._lease = lease
        self._token: UUID = uuid4()

    def acquire(self, provider: str) -> Cursor | None:
        self._token = uuid4()
        rows = self._run(_ACQUIRE, provider)
        if not rows:
            return None
        try:
            (issued,) = self._run(_ISSUED, provider)
        except StorageUnavailable:
            # Else nobody could walk until the lease ends.
            with suppress(StorageUnavailable):
                self.release(provider)
            raise
        return _cursor(provider, rows[0], issued)

    def save(self, provider: str, walk: Walk) -> bool:
        values = {name: getattr(walk, name) for name in walk.__slots__}
        return bool(self._run(_SAVE, provider, **values))

    def complete(self, provider: str, walk: Walk, done_down_to: datetime | None) -> bool:
        values = {"started_at": walk.started_at, "depth": walk.depth, "done_down_to": done_down_to}
        return bool(self._run(_COMPLETE, provider, **values))

    def expire(self, provider: str, grace: timedelta, limit: int) -> int:
        count: int = self._run(_EXPIRE, provider, grace=grace, limit=limit)[0][0]
        return count

    def issue_skew(self, provider: str) -> timedelta | None:
        rows = self._run(_SKEW, provider)
        return rows[0][0] if rows else None

    def release(self, provider: str) -> None:
        self._run(_RELEASE, provider)

    def _run(self, statement: str, provider: str, **values: object) -> list[Row]:
        common = {"provider": provider, "token": self._token, "lease": self._lease}
        return self._database.repeat(statement, values | common)


def _cursor(provider: str, row: Row, issued: Row) -> Cursor:
    first_issued_at, oldest_open_at, oldest_overdue_at = issued
    now, done_down_to, hour_started_at, day_started_at, *under_way = row
    started_at, depth, *rest = under_way
    walk = Walk(started_at, Depth(depth), *rest) if started_at else None
    return Cursor(
        provider=provider,
        now=now,
        done_down_to=done_down_to,
        walk=walk,
        hour_started_at=hour_started_at,
        day_started_at=day_started_at,
        first_issued_at=first_issued_at,
        oldest_open_at=oldest_open_at,
        oldest_overdue_at=oldest_overdue_at,
    )
