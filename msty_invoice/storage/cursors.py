"""How far a provider's list was walked, and who may walk it now: one row, fenced by a token."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from msty_invoice.domain.walk import Cursor, Depth, Walk
from msty_invoice.storage.postgres import Database, Row

# No row: another machine holds it. Correctness never rests on this lease, only economy.
_ACQUIRE = """
    INSERT INTO provider_cursors AS c (provider, run_token, run_until)
    VALUES (%(provider)s, %(token)s, clock_timestamp() + %(lease)s)
    ON CONFLICT (provider) DO UPDATE
        SET run_token = EXCLUDED.run_token, run_until = EXCLUDED.run_until
        WHERE c.run_until IS NULL OR c.run_until < clock_timestamp()
    RETURNING clock_timestamp(), done_down_to, hour_started_at, day_started_at,
              walk_started_at, walk_depth, walk_floor, walk_top, walk_next
"""

_ISSUED = """
    SELECT
        (SELECT min(issued_at) FROM invoices WHERE provider = %(provider)s),
        (SELECT min(issued_at) FROM invoices
         WHERE provider = %(provider)s AND (
             status = 'pending'
             OR (status = 'expired' AND expires_at > clock_timestamp() - interval '24 hours')))
"""

# Every write is fenced: no row means that the lease was lost, and the pass must stop.
_FENCED = "WHERE provider = %(provider)s AND run_token = %(token)s RETURNING provider"

_SAVE = f"""
    UPDATE provider_cursors
    SET walk_started_at = %(started_at)s, walk_depth = %(depth)s, walk_floor = %(floor)s,
        walk_top = %(top)s, walk_next = %(next_token)s,
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
        walk_next = NULL
    {_FENCED}
"""  # noqa: S608

_RELEASE = f"UPDATE provider_cursors SET run_token = NULL, run_until = NULL {_FENCED}"  # noqa: S608

# Only after a complete walk that started later than expiry and grace, by this holder, and
# while no event that was received before that walk is still unread (design §4.7).
_EXPIRE = """
    WITH x AS (
        UPDATE invoices SET status = 'expired', updated_at = now()
        WHERE status = 'pending' AND id IN (
            SELECT i.id FROM invoices i JOIN provider_cursors c USING (provider)
            WHERE i.provider = %(provider)s AND c.run_token = %(token)s AND i.status = 'pending'
              AND i.expires_at + %(grace)s <= c.complete_started_at
              AND NOT EXISTS (
                  SELECT FROM webhook_events w
                  WHERE w.provider = i.provider AND w.type = 'DEPOSIT' AND w.state = 'SUCCESS'
                    AND w.done_at IS NULL AND w.parked_at IS NULL
                    AND w.received_at < c.complete_started_at)
            ORDER BY i.expires_at
            LIMIT %(limit)s
            FOR UPDATE OF i SKIP LOCKED)
        RETURNING id),
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
    """Implements `service.ports.CursorStore`: one holder's view of one provider's cursor."""

    def __init__(self, database: Database, lease: timedelta = timedelta(seconds=90)) -> None:
        self._database = database
        self._lease = lease
        self._token: UUID = uuid4()

    def acquire(self, provider: str) -> Cursor | None:
        self._token = uuid4()
        rows = self._run(_ACQUIRE, provider)
        if not rows:
            return None
        ((first, oldest),) = self._run(_ISSUED, provider)
        return _cursor(provider, rows[0], first, oldest)

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


def _cursor(
    provider: str, row: Row, first_issued_at: datetime | None, oldest_open_at: datetime | None
) -> Cursor:
    now, done_down_to, hour_started_at, day_started_at, *under_way = row
    started_at, depth, floor, top, next_token = under_way
    walk = Walk(started_at, Depth(depth), floor, top, next_token) if started_at else None
    return Cursor(
        provider=provider,
        now=now,
        done_down_to=done_down_to,
        walk=walk,
        hour_started_at=hour_started_at,
        day_started_at=day_started_at,
        first_issued_at=first_issued_at,
        oldest_open_at=oldest_open_at,
    )
