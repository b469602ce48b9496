"""The fake and the real store of idempotency keys, which must behave alike."""

from datetime import timedelta

import pytest

from msty_invoice.storage.idempotency import PostgresIdempotency
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.postgres import Database
from tests.databases import DatabaseOfOne
from tests.fakes import Clock, MemoryIdempotency, MemoryInvoices
from tests.storage.conftest import FAMILY, OTHER_FAMILY, make_key
from tests.storage.idempotency.claims import Stores

LEASE = timedelta(seconds=20)


@pytest.fixture(params=["memory", "families", "families_15"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        return _memory()
    database = Database(request.getfixturevalue(request.param).app)
    return Stores(
        PostgresIdempotency(database, LEASE),
        PostgresIdempotency(database, timedelta(0)),
        PostgresInvoices(database),
    )


def _memory() -> Stores:
    invoices, clock = MemoryInvoices(), Clock()
    keys = MemoryIdempotency(invoices, clock, LEASE)
    return Stores(keys, MemoryIdempotency(invoices, clock, timedelta(0), keys.kept), invoices)


@pytest.fixture
def families(database: DatabaseOfOne) -> DatabaseOfOne:
    """PostgreSQL 18, where FAMILY and OTHER_FAMILY are known."""
    return _with_families(database)


@pytest.fixture
def families_15(database_15: DatabaseOfOne) -> DatabaseOfOne:
    """PostgreSQL 15, where FAMILY and OTHER_FAMILY are known."""
    return _with_families(database_15)


def _with_families(database: DatabaseOfOne) -> DatabaseOfOne:
    connection = Database(database.app)
    keys = PostgresKeys(connection)
    keys.add(make_key("shop", FAMILY), b"1" * 32)
    keys.add(make_key("other", OTHER_FAMILY), b"2" * 32)
    connection.close()
    return database
