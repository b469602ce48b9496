"""The database says no, or not now: a named error, and a connection that stays well."""

from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.postgres import Database
from tests.storage.conftest import make_invoice
from tests.storage.connection.conftest import SECRET, Served


def _backend(database: Database) -> int:
    ((pid,),) = database.execute("SELECT pg_backend_pid()")
    return int(pid)


def _idle(database: Database) -> bool:
    status: int = database._connection.info.transaction_status
    return status == TRANSACTION_STATUS_IDLE


def test_a_statement_that_takes_too_long_is_given_up(served: Served) -> None:
    with closing(Database(served.database.app, statement_timeout=50)) as app:
        before = _backend(app)

        with pytest.raises(StorageUnavailable, match="QueryCanceled"):
            app.execute("SELECT pg_sleep(10)")

        assert _idle(app)
        assert _backend(app) == before


def test_a_table_that_stays_locked_is_given_up(served: Served) -> None:
    with (
        closing(Database(served.database.app, lock_timeout=50)) as app,
        closing(psycopg2.connect(served.database.migrator)) as blocker,
    ):
        before = _backend(app)
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLE invoices IN SHARE MODE")

        with pytest.raises(StorageUnavailable, match="LockNotAvailable"):
            PostgresInvoices(app).add(make_invoice())

        assert _idle(app)
        assert _backend(app) == before
        blocker.rollback()
        PostgresInvoices(app).add(make_invoice())
        assert served.counts() == (1, 1)


def test_its_own_limits_are_the_documented_ones(served: Served) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone")

    with closing(Database(served.database.app)) as app:
        shown = [app.execute(f"SHOW {name}")[0][0] for name in names]

    assert shown == ["3s", "1s", "5s", "UTC"]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 / 0",
        "SELECT nothing FROM nowhere",
        "this is no SQL",
        "DELETE FROM invoices",
        "INSERT INTO api_keys (id, name, kind, live) SELECT id, name, kind, live FROM api_keys",
    ],
)
def test_no_error_leaves_a_transaction_open(app: Database, statement: str) -> None:
    before = _backend(app)

    with pytest.raises(psycopg2.Error):
        app.execute(statement)

    assert _idle(app)
    assert _backend(app) == before


def test_a_server_that_became_a_standby_is_left(served: Served, app: Database) -> None:
    name = served.database.name
    invoices, keys = PostgresInvoices(app), PostgresKeys(app)
    served.ask(f"ALTER ROLE test_app IN DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(StorageUnavailable, match="ReadOnly"):
        invoices.add(make_invoice())
    with pytest.raises(StorageUnavailable, match="ReadOnly"):
        keys.find(SECRET)

    served.ask(f"ALTER ROLE test_app IN DATABASE {name} RESET default_transaction_read_only")

    # On a new connection: to the old one nothing has changed.
    invoices.add(make_invoice())
    assert served.counts() == (1, 1)
