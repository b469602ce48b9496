"""Deleting what nobody needs any more, a little at a time. Needs the role `msty_jobs`."""

from datetime import timedelta

from msty_invoice.storage.postgres import Database

# For each kind: which rows, by their age. An invoice that was ever paid, or has any deposit,
# stays for ever; its events go with it.
_CHOICES = {
    "idempotency_keys": """
        SELECT key_family, key FROM idempotency_keys
        WHERE claimed_at < now() - %(age)s
        ORDER BY claimed_at
    """,
    "invoices": """
        SELECT id FROM invoices i
        WHERE status = 'expired' AND expires_at < now() - %(age)s
          AND NOT EXISTS (SELECT FROM deposits d WHERE d.invoice_id = i.id)
        ORDER BY expires_at
    """,
    "webhook_events": """
        SELECT id FROM webhook_events
        WHERE received_at < now() - %(age)s AND done_at IS NOT NULL
        ORDER BY received_at
    """,
    "open_deposits": """
        SELECT provider, deposit_ref FROM open_deposits
        WHERE ended_at < now() - %(age)s
        ORDER BY ended_at
    """,
}
_IDENTITY = {
    "idempotency_keys": "(key_family, key)",
    "invoices": "id",
    "webhook_events": "id",
    "open_deposits": "(provider, deposit_ref)",
}

# What somebody holds just now is left for the next time: nobody waits for us.
_DELETE = {
    kind: f"""
        WITH gone AS (
            DELETE FROM {kind} WHERE {identity} IN (
                {_CHOICES[kind]} LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
            RETURNING 1)
        SELECT count(*) FROM gone
    """  # noqa: S608 - the only text put in is the constants above
    for kind, identity in _IDENTITY.items()
}


class PostgresCleanup:
    """Implements `settlement_ports.CleanupStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, kind: str, age: timedelta) -> int:
        statement = f"SELECT count(*) FROM ({_CHOICES[kind]}) c"  # noqa: S608 - constants above
        count: int = self._database.repeat(statement, {"age": age})[0][0]
        return count

    def delete(self, kind: str, age: timedelta, limit: int) -> int:
        count: int = self._database.execute(_DELETE[kind], {"age": age, "limit": limit})[0][0]
        return count
