"""One walker at a time, fenced by its token (design §4.10, operations SYS-5)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from msty_invoice.domain.walk import Depth, Walk
from msty_invoice.storage.cursors import PostgresCursors
from msty_invoice.storage.postgres import Database
from tests.storage.connection.conftest import until
from tests.storage.idempotency.losing import LosingDatabase, Loss
from tests.storage.settlement.books import PostgresBooks, at, make_event
from tests.storage.settlement.racing import race

ROOT = Path(__file__).resolve().parents[3]
RACERS = 16

# Takes the lease and walks on for ever; when told to go on, tries everything that writes.
_HOLDER = """
import sys
from datetime import UTC, datetime, timedelta
from msty_invoice.domain.walk import Depth, Walk
from msty_invoice.storage.cursors import PostgresCursors
from msty_invoice.storage.postgres import Database
cursors = PostgresCursors(Database(sys.argv[1]), timedelta(seconds=float(sys.argv[2])))
assert cursors.acquire("river")
print("holding", flush=True)
sys.stdin.readline()
end = datetime(2100, 1, 1, tzinfo=UTC)
walk = Walk(end, Depth.DAY, end, top=end, next_token="zombie")
print(cursors.save("river", walk), cursors.complete("river", walk, end),
      cursors.expire("river", timedelta(0), 500), flush=True)
cursors.release("river")
"""


@contextmanager
def _holder(books: PostgresBooks, lease_seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the lease."""
    command = [sys.executable, "-c", _HOLDER, books.database.app, str(lease_seconds)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "holding\n"
        try:
            yield holder
        finally:
            holder.kill()


def test_one_of_many_takes_the_lease(served: PostgresBooks) -> None:
    for _ in range(10):
        taken = race(served, RACERS, lambda _, database: PostgresCursors(database).acquire("river"))
        assert len([cursor for cursor in taken if cursor]) == 1
        served.ask("UPDATE provider_cursors SET run_token = NULL, run_until = NULL")


def test_one_of_many_takes_over_from_a_holder_that_died(served: PostgresBooks) -> None:
    with _holder(served, lease_seconds=3600) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        assert served.cursors.acquire("river") is None
    served.wait(3601)

    taken = race(served, RACERS, lambda _, database: PostgresCursors(database).acquire("river"))

    assert len([cursor for cursor in taken if cursor]) == 1


def test_a_short_lease_ends_by_itself(served: PostgresBooks) -> None:
    with _holder(served, lease_seconds=0.05) as holder:
        os.kill(holder.pid, signal.SIGKILL)

    until(lambda: served.cursors.acquire("river") is not None)


def test_a_holder_that_slept_through_its_lease_changes_nothing(served: PostgresBooks) -> None:
    over = served.add(expires_at=at(-60))
    with _holder(served, lease_seconds=3600) as zombie:
        os.kill(zombie.pid, signal.SIGSTOP)
        served.wait(3601)
        assert served.cursors.acquire("river")
        walk = Walk(at(-120), Depth.MINUTE, at(-90), top=at(0), next_token="17")
        assert served.cursors.save("river", walk)
        before = served.ask("SELECT * FROM provider_cursors")

        os.kill(zombie.pid, signal.SIGCONT)
        said, _ = zombie.communicate("go on\n", timeout=60)

    assert said == "False False 0\n"
    assert served.ask("SELECT * FROM provider_cursors") == before
    assert served.seen(over).status == "pending"
    assert served.cursors.save("river", walk)


def test_the_zombie_does_not_expire_by_what_another_completed(served: PostgresBooks) -> None:
    over = served.add(expires_at=at(-60))
    with _holder(served, lease_seconds=3600) as zombie:
        os.kill(zombie.pid, signal.SIGSTOP)
        served.wait(3601)
        assert served.cursors.acquire("river")
        assert served.cursors.complete("river", Walk(at(0), Depth.MINUTE, at(-90)), at(-1))
        before = served.ask("SELECT * FROM provider_cursors")

        os.kill(zombie.pid, signal.SIGCONT)
        said, _ = zombie.communicate("go on\n", timeout=60)

    assert said == "False False 0\n"
    assert served.ask("SELECT * FROM provider_cursors") == before
    assert served.seen(over).status == "pending"


@pytest.mark.parametrize("loss", ["never", "answer"])
def test_a_lease_whose_answer_was_lost_is_ours(served: PostgresBooks, loss: Loss) -> None:
    with closing(LosingDatabase(served.database.app, loss)) as losing:
        assert PostgresCursors(losing).acquire("river")

    assert served.cursors.acquire("river") is None


@pytest.mark.parametrize("loss", ["never", "answer"])
def test_what_is_saved_whose_answer_was_lost_is_saved(served: PostgresBooks, loss: Loss) -> None:
    walk = Walk(at(1), Depth.DAY, at(-60), top=at(0), next_token="17")
    with closing(LosingDatabase(served.database.app)) as losing:
        cursors = PostgresCursors(losing)
        assert cursors.acquire("river")
        losing._losses += [loss]
        assert cursors.save("river", walk)
        losing._losses += [loss]
        assert cursors.complete("river", walk, at(-10))
        losing._losses += [loss]
        cursors.release("river")

    cursor = served.cursors.acquire("river")
    assert cursor is not None
    assert (cursor.walk, cursor.done_down_to) == (None, at(-10))


def test_many_that_expire_at_once_expire_each_once(served: PostgresBooks) -> None:
    invoices = [served.add(expires_at=at(-n)) for n in range(100)]
    assert served.cursors.acquire("river")
    served.cursors.complete("river", Walk(at(999), Depth.MINUTE, at(-60)), None)
    token = served.cursors._token  # type: ignore[attr-defined]

    def racer(_: int, database: Database) -> int:
        cursors = PostgresCursors(database)
        cursors._token = token
        return sum(cursors.expire("river", timedelta(0), 7) for _ in range(20))

    assert sum(race(served, 8, racer)) == len(invoices)
    assert served.ask("SELECT count(*) FROM invoice_events WHERE what = 'expired'") == [(100,)]


@pytest.mark.parametrize(
    ("microseconds", "expired"), [(-1, 0), (0, 1), (1, 1)], ids=["before", "then", "after"]
)
def test_an_event_counts_as_older_to_the_microsecond(
    served: PostgresBooks, microseconds: int, expired: int
) -> None:
    served.add(expires_at=at(-9999))
    served.webhooks.store(make_event())
    started_at = at(-60)
    received_at = started_at + timedelta(microseconds=microseconds)
    served.ask("UPDATE webhook_events SET received_at = %(at)s", at=received_at)
    assert served.cursors.acquire("river")
    served.cursors.complete("river", Walk(started_at, Depth.MINUTE, at(-90)), None)

    assert served.cursors.expire("river", timedelta(0), 500) == expired
