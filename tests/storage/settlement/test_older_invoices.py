"""Invoices that were there before settlement came (migration 0006)."""

from contextlib import closing
from typing import Any

import psycopg2

from msty_invoice.storage.migrations import Migrator, directory
from tests.databases import DatabaseOfOne

_INVOICE = """
    INSERT INTO api_keys (id, name, kind, live)
    VALUES ('00000000-0000-0000-0000-000000000001', 'shop', 'secret', false);
    INSERT INTO invoices (id, key_family, provider, provider_ref, payment_request, payment_hash,
                          amount_sats, expires_at, created_at)
    VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001',
            'river', 'di_old', 'lnbcrt1', repeat('ab', 32), 5, now() + interval '1 hour',
            now() - interval '50 minutes')
"""


def test_an_invoice_made_before_is_no_younger_for_it(database: DatabaseOfOne) -> None:
    """Else a walk would stop before its payment."""
    migrator = Migrator(database.migrator, directory())
    while any("settlement" in name for name in _applied(database)):
        migrator.rollback()
    _ask(database, _INVOICE)

    migrator.apply()

    assert _ask(database, "SELECT issued_at = created_at FROM invoices") == [(True,)]


def _applied(database: DatabaseOfOne) -> list[str]:
    return [name for (name,) in _ask(database, "SELECT migration_id FROM _yoyo_migration")]


def _ask(database: DatabaseOfOne, statement: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(database.migrator)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
