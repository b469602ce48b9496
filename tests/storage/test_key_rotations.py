"""Rotations and revocations at once, on the real database only: what no fake can show."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import psycopg2
import pytest
from psycopg2 import errors

from msty_invoice.domain.errors import KeyRotatedMeanwhile
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.postgres import Database
from tests.databases import DatabaseOfOne
from tests.storage.conftest import FAMILY, make_key

AT_ONCE = 4


@pytest.fixture(params=["database", "database_15"])
def urls(request: pytest.FixtureRequest) -> DatabaseOfOne:
    made: DatabaseOfOne = request.getfixturevalue(request.param)
    with closing(Database(made.app)) as database:
        PostgresKeys(database).add(make_key("shop", FAMILY), b"0" * 32)
    return made


def test_rotations_at_once_leave_one_secret_without_an_end(urls: DatabaseOfOne) -> None:
    start = Barrier(AT_ONCE)

    def rotate(number: int) -> bool:
        with closing(Database(urls.app)) as database:
            keys = PostgresKeys(database)
            keys.list()  # connected before the start
            start.wait()
            try:
                keys.rotate(FAMILY, bytes([number]) * 32, f"sk_test_{number}", timedelta(hours=1))
            except KeyRotatedMeanwhile:
                return False
            return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        succeeded = sum(pool.map(rotate, range(1, AT_ONCE + 1)))

    with closing(Database(urls.app)) as database:
        (key,) = PostgresKeys(database).list()
    assert succeeded >= 1
    assert len(key.secrets) == 1 + succeeded
    assert [secret.ends_at is None for secret in key.secrets] == [True] + [False] * succeeded


@pytest.mark.parametrize(
    "columns",
    [
        "kind = 'publishable'",
        "origins = ARRAY['https://shop.example']",
        "kind = 'publishable', origins = ARRAY[NULL]",
        "kind = 'publishable', origins = ARRAY['https://shop.example'], rate_per_minute = 5",
        "rate_per_minute = 0",
    ],
)
def test_the_schema_refuses_a_key_that_makes_no_sense(urls: DatabaseOfOne, columns: str) -> None:
    with pytest.raises(errors.CheckViolation):
        _admin(urls, f"UPDATE api_keys SET {columns} WHERE id = %s", FAMILY)


def test_an_overlap_ends_by_the_clock_of_the_database(urls: DatabaseOfOne) -> None:
    with closing(Database(urls.app)) as database:
        keys = PostgresKeys(database)
        ends_at = keys.rotate(FAMILY, b"5" * 32, "sk_test_5", timedelta(hours=24))
        ((seconds,),) = database.execute(
            "SELECT extract(epoch FROM %(ends_at)s - now())::int", {"ends_at": ends_at}
        )
        assert 86_390 <= seconds <= 86_400
        # The end comes: as if the day were over.
        _admin(
            urls,
            "UPDATE api_key_secrets SET expires_at = now() WHERE key_id = %s"
            " AND expires_at IS NOT NULL",
            FAMILY,
        )
        assert keys.find(b"0" * 32) is None
        assert keys.find(b"5" * 32) is not None


def _admin(urls: DatabaseOfOne, statement: str, key_id: UUID) -> None:
    with closing(psycopg2.connect(urls.admin)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, (key_id,))
