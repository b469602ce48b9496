"""Many who store and many who take, and one of them killed (operations PG-7, WHK-7)."""

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg2 import errors

from msty_invoice.domain.walk import Depth, Walk
from msty_invoice.storage.deposits import PostgresDeposits
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.webhooks import PostgresWebhooks
from tests.storage.conftest import make_invoice
from tests.storage.connection.conftest import until
from tests.storage.idempotency.losing import LosingDatabase, Loss
from tests.storage.settlement.books import PostgresBooks, at, make_deposit, make_event, patient
from tests.storage.settlement.racing import race, transaction

ROOT = Path(__file__).resolve().parents[3]
TAKERS = 8

# Takes three, says which, and works on them for ever.
_TAKER = """
import sys, time
from msty_invoice.storage.deposits import PostgresDeposits
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.webhooks import PostgresWebhooks
for event in PostgresWebhooks(Database(sys.argv[1]), float(sys.argv[2])).take(3):
    print(event.ref, flush=True)
print("holding", flush=True)
time.sleep(3600)
"""


def _killed_taker(books: PostgresBooks, lease_seconds: float) -> list[str]:
    """What a taker held when it was killed."""
    command = [sys.executable, "-c", _TAKER, books.database.app, str(lease_seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as taker:
        assert taker.stdout
        held = list(iter(taker.stdout.readline, "holding\n"))
        os.kill(taker.pid, signal.SIGKILL)
    return [line.strip() for line in held]


def test_a_thousand_copies_are_one_row(served: PostgresBooks) -> None:
    def racer(_: int, database: Database) -> list[int]:
        store = PostgresWebhooks(database)
        return [store.store(make_event()) for _ in range(50)]

    counted = race(served, 20, racer)

    assert sorted(number for numbers in counted for number in numbers) == list(range(1, 1001))
    assert served.ask("SELECT copies FROM webhook_events") == [(1000,)]
    assert len(served.webhooks.take(10)) == 1


def test_no_event_is_given_to_two(served: PostgresBooks) -> None:
    refs = [f"d_{n}" for n in range(300)]
    for ref in refs:
        served.webhooks.store(make_event(ref))

    def racer(number: int, database: Database) -> list[str]:
        store = PostgresWebhooks(database)
        done = []
        while events := store.take(1 + number % 4):
            done += [event.ref for event in events if store.done(event, "succeeded")]
        return done

    taken = race(served, TAKERS, racer)

    assert Counter(ref for one in taken for ref in one) == Counter(refs)


def test_what_a_killed_taker_held_comes_back_after_its_lease(served: PostgresBooks) -> None:
    refs = [f"d_{n}" for n in range(40)]
    for ref in refs:
        served.webhooks.store(make_event(ref))
    held = _killed_taker(served, lease_seconds=3600)
    assert len(held) == 3

    def racer(_: int, database: Database) -> list[str]:
        store = PostgresWebhooks(database)
        done = []
        while events := store.take(3):
            done += [event.ref for event in events if store.done(event, "succeeded")]
        return done

    taken = [ref for one in race(served, TAKERS - 1, racer) for ref in one]
    assert sorted(taken) == sorted(set(refs) - set(held))
    served.wait(3601)
    after = [ref for one in race(served, TAKERS - 1, racer) for ref in one]
    assert sorted(after) == sorted(held)


def test_a_short_lease_ends_by_itself(served: PostgresBooks) -> None:
    served.webhooks.store(make_event())
    assert _killed_taker(served, lease_seconds=0.05) == ["d_1"]

    until(lambda: bool(served.webhooks.take(1)))


@pytest.mark.parametrize("limit", [1, 3, 10])
def test_never_more_are_taken_than_asked_for(served: PostgresBooks, limit: int) -> None:
    for number in range(50):
        served.webhooks.store(make_event(f"d_{number}"))

    assert len(served.webhooks.take(limit)) == limit


# Without these the planner puts what locks inside a loop, as it does with some statistics.
_PLANS = (
    "hashjoin",
    "mergejoin",
    "material",
    "hashagg",
    "sort",
    "incremental_sort",
    "indexscan",
    "indexonlyscan",
    "bitmapscan",
)


def test_not_even_by_an_unlucky_plan(served: PostgresBooks) -> None:
    for number in range(50):
        served.webhooks.store(make_event(f"d_{number}"))
        served.deposits.open(make_deposit(make_invoice(), deposit_ref=f"d_{number}"))
        served.add(expires_at=at(-number))
    assert served.cursors.acquire("river")
    served.cursors.complete("river", Walk(at(-1), Depth.MINUTE, at(-60)), None)
    for plan in _PLANS:
        served.app.execute(f"SET enable_{plan} = off")

    assert [event.ref for event in served.webhooks.take(5)] == [f"d_{n}" for n in range(5)]
    assert served.deposits.due("river", 5) == [f"d_{n}" for n in range(5)]
    served.ask("UPDATE webhook_events SET done_at = now()")
    assert served.cursors.expire("river", timedelta(0), 5) == 5


def test_a_taker_passes_by_what_another_is_just_taking(served: PostgresBooks) -> None:
    for ref in ("d_1", "d_2"):
        served.webhooks.store(make_event(ref))

    with transaction(served) as other:
        other.execute("SELECT FROM webhook_events WHERE ref = 'd_1' FOR UPDATE")
        assert [event.ref for event in served.webhooks.take(10)] == ["d_2"]


def test_no_pending_deposit_is_asked_about_by_two(served: PostgresBooks) -> None:
    refs = [f"d_{n}" for n in range(100)]
    for ref in refs:
        served.deposits.open(make_deposit(make_invoice(), deposit_ref=ref))

    def racer(number: int, database: Database) -> list[str]:
        store = PostgresDeposits(database)
        taken = []
        while due := store.due("river", 1 + number % 4):
            taken += due
        return taken

    taken = race(served, TAKERS, racer)

    assert Counter(ref for one in taken for ref in one) == Counter(refs)


def test_a_pending_deposit_that_another_is_just_taking_is_passed_by(served: PostgresBooks) -> None:
    for ref in ("d_1", "d_2"):
        served.deposits.open(make_deposit(make_invoice(), deposit_ref=ref))

    with transaction(served) as other:
        other.execute("SELECT FROM open_deposits WHERE deposit_ref = 'd_1' FOR UPDATE")
        assert served.deposits.due("river", 10) == ["d_2"]


def test_a_copy_that_comes_while_it_is_being_taken_is_counted(served: PostgresBooks) -> None:
    served.webhooks.store(make_event())
    with ThreadPoolExecutor(1) as pool, closing(patient(served.database.app)) as app:
        with transaction(served) as taking:
            taking.execute("UPDATE webhook_events SET attempts = attempts + 1")
            copies = pool.submit(PostgresWebhooks(app).store, make_event())
        assert copies.result() == 2


@pytest.mark.parametrize("loss", ["never", "answer"])
def test_an_event_whose_answer_was_lost_is_stored(served: PostgresBooks, loss: Loss) -> None:
    """Counted twice perhaps, which harms nobody, but never lost."""
    with closing(LosingDatabase(served.database.app, loss)) as losing:
        assert PostgresWebhooks(losing).store(make_event()) >= 1

    assert len(served.webhooks.take(10)) == 1


@pytest.mark.parametrize("who", ["app", "jobs"])
@pytest.mark.parametrize(
    "column", ["provider", "type", "ref", "state", "body", "body_sha256", "received_at"]
)
def test_what_came_is_never_changed(served: PostgresBooks, who: str, column: str) -> None:
    served.webhooks.store(make_event())

    with (
        closing(Database(getattr(served.database, who))) as database,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        database.execute(f"UPDATE webhook_events SET {column} = {column}")
