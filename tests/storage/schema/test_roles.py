"""Who may do what, by trying it (operations PG-5, PG-9)."""

import pytest
from psycopg2 import errors

from tests.storage.schema.conftest import PREIMAGE, SETTLED, Schema

_EVERYONE = ("app", "jobs", "readonly")
_WRITERS = ("app", "jobs")

_READS = {
    "SELECT * FROM invoices": _EVERYONE,
    "SELECT * FROM invoice_events": _EVERYONE,
    "SELECT * FROM api_keys": _EVERYONE,
    "SELECT key_id, prefix, created_at, expires_at, last_used_at FROM api_key_secrets": _EVERYONE,
    "SELECT secret_sha256 FROM api_key_secrets": _WRITERS,
    "SELECT * FROM api_key_secrets": _WRITERS,
    "SELECT FROM api_key_secrets WHERE secret_sha256 IS NOT NULL": _WRITERS,
    "SELECT max(s::text) FROM api_key_secrets s": _WRITERS,
    "SELECT migration_id FROM _yoyo_migration": _EVERYONE,
}

_ID = "'00000000-0000-0000-0000-000000000008'"
_WRITES = {
    f"INSERT INTO api_keys (id, name, kind, live) VALUES ({_ID}, 'n', 'secret', true)": _WRITERS,
    "INSERT INTO api_key_secrets (secret_sha256, key_id, prefix)"
    " SELECT sha256('x'), id, 'sk' FROM api_keys": _WRITERS,
    "INSERT INTO invoice_events (invoice_id, what, how)"
    " SELECT id, 'created', 'api' FROM invoices": _WRITERS,
    "UPDATE api_keys SET revoked_at = now()": _WRITERS,
    "UPDATE api_key_secrets SET expires_at = now(), last_used_at = now()": _WRITERS,
    f"UPDATE invoices SET {SETTLED}, preimage = '{PREIMAGE}', updated_at = now()": _WRITERS,
    "DELETE FROM invoices": ("jobs",),
    # Append-only, and a key's identity is for ever.
    "UPDATE invoice_events SET what = 'settled'": (),
    "UPDATE invoice_events SET at = now()": (),
    "DELETE FROM invoice_events": (),
    "INSERT INTO invoice_events (id, invoice_id, what, how) OVERRIDING SYSTEM VALUE"
    " SELECT 1, id, 'a', 'b' FROM invoices": _WRITERS,
    "UPDATE api_keys SET name = 'other'": (),
    "UPDATE api_keys SET kind = 'publishable'": (),
    "UPDATE api_keys SET live = true": (),
    "UPDATE api_key_secrets SET secret_sha256 = sha256('x')": (),
    f"UPDATE api_key_secrets SET key_id = {_ID}": (),
    "DELETE FROM api_keys": (),
    "DELETE FROM api_key_secrets": (),
    "INSERT INTO _yoyo_migration VALUES ('x', 'x', now())": (),
    "DELETE FROM _yoyo_migration": (),
}

_DEFINITIONS = [
    *(
        f"{what} {table}"
        for what in ("TRUNCATE", "DROP TABLE", "LOCK TABLE")
        for table in ("invoices", "invoice_events", "api_keys", "api_key_secrets")
    ),
    "CREATE TABLE anything (id int)",
    "CREATE VIEW anything AS SELECT 1",
    "CREATE FUNCTION anything() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA anything",
    "CREATE INDEX ON invoices (memo)",
    "ALTER TABLE invoices DISABLE TRIGGER ALL",
    "ALTER TABLE invoices DROP CONSTRAINT invoices_payment_hash_key",
    "DROP TRIGGER invoices_settled_stay ON invoices",
    "CREATE OR REPLACE FUNCTION refuse_new_invoice() RETURNS trigger LANGUAGE sql AS 'SELECT'",
    "CREATE TRIGGER t BEFORE UPDATE ON invoices EXECUTE FUNCTION refuse_invoice_change()",
    "SET session_replication_role = 'replica'",
    "CREATE ROLE another",
    "SET ROLE test_migrator",
]


@pytest.mark.parametrize("statement", _READS | _WRITES)
def test_each_role_may_do_what_its_work_needs_and_no_more(schema: Schema, statement: str) -> None:
    allowed = (_READS | _WRITES)[statement]
    schema.invoice("pending")

    for who in _EVERYONE:
        if who not in allowed:
            with pytest.raises(errors.InsufficientPrivilege):
                schema.run(who, statement)
    for who in allowed:
        # Each finds it as it was: what it does is undone.
        schema.run(who, f"BEGIN; {statement}; ROLLBACK")


@pytest.mark.parametrize("who", _EVERYONE)
def test_no_role_of_the_service_changes_the_schema(schema: Schema, who: str) -> None:
    allowed = []
    for statement in _DEFINITIONS:
        try:
            schema.run(who, f"BEGIN; {statement}; ROLLBACK")
        except errors.InsufficientPrivilege:
            continue
        allowed.append(statement)

    # Taking a lock is no change: whoever may write a table may lock it.
    assert [each for each in allowed if not each.startswith("LOCK TABLE")] == []


def test_a_reader_cannot_hold_up_the_service(schema: Schema) -> None:
    for table in ("invoices", "invoice_events", "api_keys", "api_key_secrets"):
        with pytest.raises(errors.InsufficientPrivilege):
            schema.run("readonly", f"BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE; ROLLBACK")


def test_the_groups_themselves_cannot_log_in(schema: Schema) -> None:
    groups = schema.run(
        "migrator",
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'msty%%' AND (rolsuper OR rolcreatedb"
        " OR rolcreaterole OR rolbypassrls OR rolreplication OR rolcanlogin)"
        " AND rolname <> 'msty_admin'",
    )

    assert groups == []
