"""Many connections at once, each on a thread of its own."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Barrier
from typing import Any, TypeVar

import psycopg2

from msty_invoice.storage.postgres import Database
from tests.storage.settlement.books import PostgresBooks, patient

T = TypeVar("T")


def race(books: PostgresBooks, racers: int, run: Callable[[int, Database], T]) -> list[T]:
    """Let all begin at the same moment; returns what each came to, or raises what one raised."""
    barrier = Barrier(racers, timeout=60)

    def racer(number: int) -> T:
        with closing(patient(books.database.app)) as database:
            database.execute("SELECT 1")
            barrier.wait()
            return run(number, database)

    with ThreadPoolExecutor(racers) as pool:
        return list(pool.map(racer, range(racers)))


@contextmanager
def transaction(books: PostgresBooks) -> Iterator[Any]:
    """A cursor of the app whose changes are committed at the end."""
    with closing(psycopg2.connect(books.database.app)) as connection, connection.cursor() as cursor:
        yield cursor
        connection.commit()
