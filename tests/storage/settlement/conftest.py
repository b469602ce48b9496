"""Books that know FAMILY: in memory, and on both PostgreSQL versions."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from msty_invoice.storage.keys import PostgresKeys
from tests.databases import DatabaseOfOne
from tests.storage.conftest import FAMILY, make_key
from tests.storage.settlement.books import Books, MemoryBooks, PostgresBooks, patient


@pytest.fixture(params=["memory", "database", "database_15"])
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    """Every test of the contract runs on these, so that the fakes cannot drift."""
    if request.param == "memory":
        yield MemoryBooks()
        return
    yield from _postgres_books(request.getfixturevalue(request.param))


@pytest.fixture(params=["database", "database_15"])
def served(request: pytest.FixtureRequest) -> Iterator[PostgresBooks]:
    """The real books only: races, roles, plans."""
    yield from _postgres_books(request.getfixturevalue(request.param))


def _postgres_books(database: DatabaseOfOne) -> Iterator[PostgresBooks]:
    with closing(patient(database.app)) as app:
        PostgresKeys(app).add(make_key("shop", FAMILY), b"1" * 32)
    books = PostgresBooks(database)
    with closing(books.app):
        yield books
