"""The settler hears of what is committed, and hears again after the line was lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from time import monotonic

import pytest

from msty_invoice.dev.postgres import PostgresServer
from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.storage.listening import PostgresListener
from msty_invoice.storage.webhooks import CHANNEL
from tests.storage.connection.conftest import until
from tests.storage.settlement.books import PostgresBooks, make_event, patient
from tests.storage.settlement.racing import transaction

SECONDS = 30.0  # far longer than anything here takes


@pytest.fixture
def listener(served: PostgresBooks) -> Iterator[PostgresListener]:
    """One that listens already."""
    with closing(patient(served.database.app)) as database:
        made = PostgresListener(database)
        made.wait(0)
        yield made


def test_it_does_all_there_may_be_as_soon_as_it_listens(served: PostgresBooks) -> None:
    served.webhooks.store(make_event())
    with closing(patient(served.database.app)) as database:
        assert PostgresListener(database).wait(SECONDS) == [""]


def test_nothing_told_is_nothing_heard(listener: PostgresListener) -> None:
    assert listener.wait(0) == []


def test_it_hears_of_a_stored_event(served: PostgresBooks, listener: PostgresListener) -> None:
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(listener.wait, SECONDS)
        served.webhooks.store(make_event())

        assert heard.result() == ["event"]
    assert listener.wait(0) == []


def test_it_hears_of_a_repeat(served: PostgresBooks, listener: PostgresListener) -> None:
    served.webhooks.store(make_event())
    listener.wait(SECONDS)
    served.webhooks.store(make_event())

    assert listener.wait(SECONDS) == ["event"]


def test_it_hears_only_of_what_is_committed(
    served: PostgresBooks, listener: PostgresListener
) -> None:
    with transaction(served) as storing:
        storing.execute(f"NOTIFY {CHANNEL}, 'event'")
        assert listener.wait(0.2) == []

    assert listener.wait(SECONDS) == ["event"]


def test_what_was_told_between_two_waits_is_heard(
    served: PostgresBooks, listener: PostgresListener
) -> None:
    with transaction(served) as telling:
        for notice in ("look:1", "look:2"):
            telling.execute(f"NOTIFY {CHANNEL}, '{notice}'")

    assert listener.wait(SECONDS) == ["look:1", "look:2"]


def test_what_came_with_another_answer_is_heard_at_once(
    served: PostgresBooks, listener: PostgresListener
) -> None:
    """It is in the client already: the socket has nothing more to say."""
    served.webhooks.store(make_event())
    until(lambda: listener._database.execute("SELECT 1") == [(1,)] and _notices(listener))

    began = monotonic()
    assert listener.wait(SECONDS) == ["event"]
    assert monotonic() - began < SECONDS / 2


def _notices(listener: PostgresListener) -> bool:
    return bool(listener._database.connection().notifies)


def test_it_says_that_it_lost_its_line_and_then_hears_again(
    served: PostgresBooks, listener: PostgresListener
) -> None:
    served.ask(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    with pytest.raises(StorageUnavailable):
        listener.wait(SECONDS)
    served.webhooks.store(make_event())
    assert listener.wait(SECONDS) == [""]
    served.webhooks.store(make_event())
    assert listener.wait(SECONDS) == ["event"]


@dataclass(frozen=True)
class Restartable:
    server: PostgresServer
    books: PostgresBooks


@pytest.fixture
def restartable(request: pytest.FixtureRequest, served: PostgresBooks) -> Restartable:
    old = "database_15" in request.node.name
    return Restartable(request.getfixturevalue("postgres_15" if old else "postgres_server"), served)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_it_hears_again_after_the_server_was_restarted(
    restartable: Restartable, listener: PostgresListener, mode: str
) -> None:
    restartable.server.stop(mode)  # type: ignore[arg-type]
    try:
        for _ in range(2):
            with pytest.raises(StorageUnavailable):
                listener.wait(SECONDS)
    finally:
        restartable.server.start()
    restartable.books.webhooks.store(make_event())

    assert listener.wait(SECONDS) == [""]
    restartable.books.webhooks.store(make_event())
    assert listener.wait(SECONDS) == ["event"]
