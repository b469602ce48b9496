"""A database as large as after years: loaded in bulk, into the real tables and indexes."""

from contextlib import closing

import psycopg2

from tests.databases import DatabaseOfOne

INVOICES = 1_000_000
PAID = 5  # one in so many; the last day's are still open or just expired

# One invoice every eight seconds for 93 days. Those of the last hour are pending, and so
# are 3,000 whose expiry nobody has recorded yet.
_FILL = f"""
INSERT INTO api_keys (id, name, kind, live)
VALUES ('00000000-0000-0000-0000-000000000001', 'shop', 'secret', false);

INSERT INTO invoices (id, key_family, provider, provider_ref, payment_request, payment_hash,
    amount_sats, memo, status, issued_at, created_at, expires_at, settled_at,
    amount_received_sats)
SELECT lpad(to_hex(n), 32, '0')::uuid, '00000000-0000-0000-0000-000000000001', 'river',
    'di_' || lpad(n::text, 8, '0'), 'lnbcrt' || n, lpad(to_hex(n), 64, '0'), 2500, 'order ' || n,
    status, issued_at, issued_at, issued_at + interval '1 hour',
    CASE WHEN status = 'settled' THEN issued_at + interval '1 minute' END,
    CASE WHEN status = 'settled' THEN 2500 END
FROM (
    SELECT n, now() - interval '8 s' * ({INVOICES} - n) AS issued_at,
        CASE WHEN n > {INVOICES} - 3450 THEN 'pending'
             WHEN n % {PAID} = 0 THEN 'settled' ELSE 'expired' END AS status
    FROM generate_series(1, {INVOICES}) n) made;

INSERT INTO invoice_events (invoice_id, what, how, at)
SELECT id, 'created', 'api', created_at FROM invoices;

INSERT INTO deposits (provider, deposit_ref, intent_ref, payment_request, amount_sats, network,
    proof, deposited_at, verdict, invoice_id, seen_by)
SELECT 'river', 'd_' || substr(provider_ref, 4), provider_ref, payment_request, 2500, 'LN',
    payment_hash, settled_at, 'credited', id, 'webhook'
FROM invoices WHERE status = 'settled';

-- Somebody else's money in the same account, and some that is ours.
INSERT INTO deposits (provider, deposit_ref, intent_ref, amount_sats, network, deposited_at,
    verdict, seen_by)
SELECT 'river', 'd_unknown_' || n, 'di_of_others_' || n, 7, 'LN', now() - interval '1 min' * n,
    'unknown', 'walk'
FROM generate_series(1, 2000) n;
INSERT INTO deposits (provider, deposit_ref, intent_ref, amount_sats, network, deposited_at,
    verdict, seen_by)
SELECT 'river', 'd_early_' || id, provider_ref, 2500, 'LN', now(), 'unknown', 'walk'
FROM invoices WHERE status = 'pending' ORDER BY expires_at DESC LIMIT 20;

INSERT INTO webhook_events (provider, type, ref, state, body, body_sha256, received_at, done_at,
    next_attempt_at)
SELECT 'river', 'DEPOSIT', deposit_ref, 'SUCCESS', '{{}}', sha256('{{}}'), deposited_at,
    CASE WHEN deposited_at < now() - interval '2 days' THEN deposited_at END, deposited_at
FROM deposits WHERE verdict = 'credited' AND deposited_at < now() - interval '12 hours';
UPDATE webhook_events SET done_at = now() WHERE done_at IS NULL AND id % 100 <> 0;

INSERT INTO open_deposits (provider, deposit_ref, next_ask_at, ended_at, outcome)
SELECT 'river', 'd_open_' || n, now() - interval '1 s' * n,
    CASE WHEN n > 40 THEN now() END, CASE WHEN n > 40 THEN 'succeeded' END
FROM generate_series(1, 20000) n;
"""


def fill(database: DatabaseOfOne) -> None:
    """Triggers and foreign keys are not asked: only the amount matters here."""
    with closing(psycopg2.connect(database.admin)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = 'replica'")
            cursor.execute("SET synchronous_commit = off; SET maintenance_work_mem = '256MB'")
            indexes = _secondary_indexes(cursor)
            for name, _ in indexes:
                cursor.execute(f"DROP INDEX {name}")
            cursor.execute(_FILL)
            for _, definition in indexes:
                cursor.execute(definition)
            cursor.execute("VACUUM ANALYZE")


def _secondary_indexes(cursor: psycopg2.extensions.cursor) -> list[tuple[str, str]]:
    """Those of no constraint: made afterwards, they are made far quicker."""
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " JOIN pg_class ON pg_class.oid = indrelid"
        " WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '%yoyo%'"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"
    )
    return list(cursor.fetchall())
