"""A store on a server that may be stopped, and on a line that may be cut."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

import psycopg2
import pytest

from msty_invoice.dev.postgres import PostgresServer
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.postgres import Database
from tests.databases import DatabaseOfOne
from tests.storage.conftest import FAMILY, make_key
from tests.storage.connection.proxy import CuttingProxy

SECRET = b"1" * 32


@dataclass(frozen=True)
class Served:
    """A migrated database that knows FAMILY, and the server it is on."""

    server: PostgresServer
    database: DatabaseOfOne

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """As the administrator, on a connection of its own."""
        with closing(psycopg2.connect(self.database.admin)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def terminate(self) -> None:
        """End every other connection to this database, from outside."""
        self.ask(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def waiting(self) -> int:
        """How many connections wait for a lock."""
        return len(
            self.ask(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )

    def counts(self) -> tuple[int, int]:
        """How many invoices there are, and lines of history."""
        ((found, told),) = self.ask(
            "SELECT (SELECT count(*) FROM invoices), (SELECT count(*) FROM invoice_events)"
        )
        return found, told


def until(condition: Callable[[], bool]) -> None:
    end = monotonic() + 10
    while not condition():
        assert monotonic() < end, "it never came"
        sleep(0.005)


@pytest.fixture(params=[("postgres_server", "database"), ("postgres_15", "database_15")], ids=str)
def served(request: pytest.FixtureRequest) -> Served:
    server, database = (request.getfixturevalue(name) for name in request.param)
    with closing(Database(database.app)) as app:
        PostgresKeys(app).add(make_key("shop", FAMILY), SECRET)
    return Served(server, database)


@pytest.fixture
def app(served: Served) -> Iterator[Database]:
    with closing(_patient(served.database.app)) as database:
        yield database


def _patient(dsn: str) -> Database:
    """One that a busy machine does not make give up while a test gets ready."""
    return Database(dsn, statement_timeout=30_000, lock_timeout=30_000)


@pytest.fixture
def invoices(app: Database) -> PostgresInvoices:
    return PostgresInvoices(app)


@pytest.fixture
def proxy(served: Served) -> Iterator[CuttingProxy]:
    with closing(CuttingProxy(served.server.home / ".s.PGSQL.5432")) as running:
        yield running


@pytest.fixture
def cut_app(served: Served, proxy: CuttingProxy) -> Iterator[Database]:
    """The app's database, by way of the proxy."""
    with closing(_patient(proxy.dsn(served.database.app))) as database:
        yield database
