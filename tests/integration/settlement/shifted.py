"""A real PostgreSQL whose clock is ahead of the machine's by as much as a test says."""

from datetime import timedelta
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn

from tests.databases import DatabaseOfOne

# Found before pg_catalog's by whoever has this search_path, so every statement of the
# service that asks for the time is answered by these.
_SEARCH_PATH = "-c search_path=shifted,pg_catalog,public"
_INSTALL = """
    CREATE SCHEMA shifted;
    CREATE TABLE shifted.clock (ahead interval NOT NULL);
    INSERT INTO shifted.clock VALUES ('0');
    CREATE FUNCTION shifted.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
        'SELECT pg_catalog.clock_timestamp() + ahead FROM shifted.clock';
    CREATE FUNCTION shifted.now() RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT pg_catalog.now() + ahead FROM shifted.clock';
    GRANT USAGE ON SCHEMA shifted TO PUBLIC;
    GRANT SELECT ON shifted.clock TO PUBLIC;
"""
# A default was bound to pg_catalog's when its table was made.
_DEFAULTS = """
    SELECT d.adrelid::regclass::text, a.attname
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE pg_get_expr(d.adbin, d.adrelid) IN ('now()', 'clock_timestamp()')
"""
_BIND = "ALTER TABLE {} ALTER COLUMN {} SET DEFAULT shifted.clock_timestamp()"
_TABLES = (
    "invoices, invoice_events, deposits, deposit_findings, open_deposits, webhook_events,"
    " provider_cursors, idempotency_keys"
)


class ShiftedDatabase:
    """One migrated database; `app` and `jobs` are DSNs that see its clock."""

    def __init__(self, database: DatabaseOfOne) -> None:
        self.app = make_dsn(database.app, options=_SEARCH_PATH)
        self.jobs = make_dsn(database.jobs, options=_SEARCH_PATH)
        self._connection = psycopg2.connect(make_dsn(database.admin, options=_SEARCH_PATH))
        self._connection.autocommit = True
        self.run(_INSTALL)
        for table, column in self.rows(_DEFAULTS):
            with self._connection.cursor() as cursor:
                cursor.execute(sql.SQL(_BIND).format(sql.Identifier(table), sql.Identifier(column)))

    def set_ahead(self, by: timedelta) -> None:
        self.run("UPDATE shifted.clock SET ahead = %(by)s", by=by)

    def empty(self) -> None:
        """Forget all but the API keys. TRUNCATE asks no trigger."""
        self.run(f"TRUNCATE {_TABLES} CASCADE")

    def run(self, statement: str, **values: object) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)

    def rows(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def end_backend(self, pid: int) -> None:
        """End another connection, as a restart of the server does; returns once it is gone."""
        self.run("SELECT pg_terminate_backend(%(pid)s, 5000)", pid=pid)

    def close(self) -> None:
        self._connection.close()
