"""Webhooks as an operator sees them, and giving them to the settler again."""

from collections.abc import Sequence

from msty_invoice.domain.books import BookedEvent
from msty_invoice.domain.listing import EventFilter
from msty_invoice.storage.books import EVENT, events_of, writing
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.webhooks import CHANNEL

_LIST = f"""
    SELECT {EVENT} FROM webhook_events w
    WHERE (NOT %(parked)s OR w.parked_at IS NOT NULL)
      AND (NOT %(unfinished)s OR (w.done_at IS NULL AND w.parked_at IS NULL))
      AND (%(since)s::timestamptz IS NULL OR w.received_at >= %(since)s)
    ORDER BY w.received_at DESC, w.id DESC
    LIMIT %(limit)s
"""  # noqa: S608 - the only text put in, here and below, is column names

_FIND = f"SELECT {EVENT} FROM webhook_events w WHERE w.id = %(id)s"  # noqa: S608

# As new, and nobody's: whoever holds it just now finds that it no longer does.
_REOPEN = """
    WITH w AS (
        UPDATE webhook_events
        SET done_at = NULL, parked_at = NULL, opened_at = clock_timestamp(),
            next_attempt_at = clock_timestamp(), attempts = 0,
            lease_token = NULL, lease_until = NULL
        WHERE id = ANY(%(ids)s)
        RETURNING id)
    SELECT count(*), pg_notify(%(channel)s, 'event') FROM w
"""


class PostgresEventList:
    """Implements `operator_ports.EventList`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, wanted: EventFilter) -> Sequence[BookedEvent]:
        values = {name: getattr(wanted, name) for name in wanted.__slots__}
        return events_of(self._database.repeat(_LIST, values))

    def find(self, event_id: int) -> BookedEvent | None:
        found = events_of(self._database.repeat(_FIND, {"id": event_id}))
        return found[0] if found else None

    def reopen(self, ids: Sequence[int]) -> int:
        values = {"ids": list(ids), "channel": CHANNEL}
        with writing():
            count: int = self._database.repeat(_REOPEN, values)[0][0]
        return count
