"""Webhook events: stored before they are answered, then worked off by whoever is free."""

from uuid import UUID, uuid4

from msty_invoice.domain.webhook import TakenEvent, WebhookEvent
from msty_invoice.storage.postgres import Database

CHANNEL = "msty_settle"  # what the settler listens on

# A repeat counts up, and opens again what had been parked. The settler hears of it
# once this is committed.
_STORE = """
    WITH e AS (
        INSERT INTO webhook_events AS w (provider, type, ref, state, body, body_sha256)
        VALUES (%(provider)s, %(type)s, %(ref)s, %(state)s, %(body)s, %(body_sha256)s)
        ON CONFLICT (provider, type, ref, state, body_sha256) DO UPDATE
            SET copies = w.copies + 1,
                last_received_at = clock_timestamp(),
                parked_at = NULL,
                opened_at = CASE WHEN w.parked_at IS NULL THEN w.opened_at
                                 ELSE clock_timestamp() END,
                attempts = CASE WHEN w.parked_at IS NULL THEN w.attempts ELSE 0 END,
                next_attempt_at = CASE WHEN w.parked_at IS NULL THEN w.next_attempt_at
                                       ELSE clock_timestamp() END
        RETURNING copies)
    SELECT copies, pg_notify(%(channel)s, 'event') FROM e
"""

# MATERIALIZED: the planner may otherwise run the locking part twice and take more.
_TAKE = """
    WITH due AS MATERIALIZED (
        SELECT id FROM webhook_events
        WHERE done_at IS NULL AND parked_at IS NULL
          AND (%(provider)s::text IS NULL OR provider = %(provider)s)
          AND next_attempt_at <= clock_timestamp()
          AND (lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY next_attempt_at, id
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED),
    taken AS (
        UPDATE webhook_events w
        SET lease_token = %(token)s,
            lease_until = clock_timestamp() + %(lease)s * interval '1 s',
            attempts = w.attempts + 1
        FROM due
        WHERE w.id = due.id
        RETURNING w.id, provider, type, ref, state, attempts, opened_at, next_attempt_at)
    SELECT id, provider, type, ref, state, attempts,
           extract(epoch FROM clock_timestamp() - opened_at)::float8
    FROM taken
    ORDER BY next_attempt_at, id
"""

# Each ends what _TAKE began, and only for who still holds the event.
_HELD = "WHERE id = %(id)s AND lease_token = %(token)s AND done_at IS NULL"

_DONE = f"""
    UPDATE webhook_events
    SET done_at = clock_timestamp(), outcome = %(outcome)s, lease_token = NULL, lease_until = NULL
    {_HELD} AND parked_at IS NULL
    RETURNING id
"""  # noqa: S608 - the only text put in is the constant above

_LATER = f"""
    UPDATE webhook_events
    SET next_attempt_at = clock_timestamp() + %(seconds)s * interval '1 s',
        outcome = %(outcome)s, lease_token = NULL, lease_until = NULL
    {_HELD}
    RETURNING id
"""  # noqa: S608

_PARK = f"""
    UPDATE webhook_events
    SET parked_at = clock_timestamp(), outcome = %(outcome)s, lease_token = NULL, lease_until = NULL
    {_HELD}
    RETURNING id
"""  # noqa: S608


class PostgresWebhooks:
    """Implements `settlement_ports.WebhookStore`. One settler's view: it holds what it takes.

    With a `provider` it takes that one's events only, so that none waits behind another's.
    """

    def __init__(
        self, database: Database, lease_seconds: float = 30.0, provider: str | None = None
    ) -> None:
        self._database = database
        self._provider = provider
        self._lease_seconds = lease_seconds
        self._token = uuid4()

    def store(self, event: WebhookEvent) -> int:
        values: dict[str, object] = {
            "provider": event.provider,
            "type": event.type,
            "ref": event.ref,
            "state": event.state,
            "body": event.body,
            "body_sha256": event.body_sha256,
            "channel": CHANNEL,
        }
        copies: int = self._database.repeat(_STORE, values)[0][0]
        return copies

    def take(self, limit: int) -> list[TakenEvent]:
        self._token = uuid4()
        values = {
            "token": self._token,
            "lease": self._lease_seconds,
            "limit": limit,
            "provider": self._provider,
        }
        return [TakenEvent(*row) for row in self._database.execute(_TAKE, values)]

    def done(self, event: TakenEvent, outcome: str) -> bool:
        return self._end(_DONE, event, outcome=outcome)

    def later(self, event: TakenEvent, seconds: float, outcome: str) -> bool:
        return self._end(_LATER, event, outcome=outcome, seconds=seconds)

    def park(self, event: TakenEvent, outcome: str) -> bool:
        return self._end(_PARK, event, outcome=outcome)

    def _end(self, statement: str, event: TakenEvent, **values: object) -> bool:
        token: UUID = self._token
        return bool(self._database.repeat(statement, values | {"id": event.id, "token": token}))
