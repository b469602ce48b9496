"""Real books on both PostgreSQL versions, and what an operator's commands are made of."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from msty_invoice.storage.keys import PostgresKeys
from tests.databases import DatabaseOfOne
from tests.storage.conftest import FAMILY, make_key
from tests.storage.settlement.books import PostgresBooks


@pytest.fixture(params=["database", "database_15"])
def books(request: pytest.FixtureRequest) -> Iterator[PostgresBooks]:
    """They know FAMILY as `shop`."""
    database: DatabaseOfOne = request.getfixturevalue(request.param)
    made = PostgresBooks(database)
    with closing(made.app):
        PostgresKeys(made.app).add(make_key("shop", FAMILY), b"1" * 32)
        yield made
