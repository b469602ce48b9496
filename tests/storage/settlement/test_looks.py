"""A reader makes the settler look, seldom, and never waits or fails for it (design §4.6)."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from time import monotonic

import pytest
from redis import Redis

from msty_invoice.dev.valkey import ValkeyServer
from msty_invoice.storage.listening import PostgresListener
from msty_invoice.storage.looks import Looks
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.redis_link import RedisLink, dialler
from tests.databases import DatabaseOfOne
from tests.fakes import Clock
from tests.storage.limiter.conftest import fragile as fragile
from tests.storage.settlement.books import patient

ROOT = Path(__file__).resolve().parents[3]
HASH = "ab" * 32
NOTICE = f"look:{HASH}"
PATIENT_SECONDS = 5.0  # a busy machine is not a Redis that is away
SLACK_SECONDS = 0.2  # what a busy machine may add to a decision

# Another worker: looks as often as it can for half a second.
_WORKER = """
import sys, time
from msty_invoice.storage.looks import Looks
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.redis_link import RedisLink, dialler
looks = Looks(RedisLink(dialler(sys.argv[2]), 5.0), Database(sys.argv[1]), time.monotonic)
sys.stdin.readline()
end = time.monotonic() + 0.5
while time.monotonic() < end:
    looks.ask(sys.argv[3])
"""


@pytest.fixture
def listener(database: DatabaseOfOne) -> Iterator[PostgresListener]:
    with closing(patient(database.app)) as listening:
        made = PostgresListener(listening)
        made.wait(0)
        yield made


@pytest.fixture
def make_looks(database: DatabaseOfOne) -> Iterator[Callable[..., Looks]]:
    made: list[tuple[RedisLink, Database]] = []

    def make(redis_url: str, patience: float = PATIENT_SECONDS, dsn: str = "") -> Looks:
        link, own = RedisLink(dialler(redis_url), patience), Database(dsn or database.app)
        made.append((link, own))
        return Looks(link, own, monotonic)

    yield make
    for link, own in made:
        link.drop()
        own.close()


@pytest.fixture
def redis_url(valkey_server: ValkeyServer) -> str:
    with Redis.from_url(valkey_server.url) as client:
        client.flushdb()
    return valkey_server.url


def _heard(listener: PostgresListener, seconds: float = 0.0) -> list[str]:
    return listener.wait(seconds)


def test_the_settler_hears_which_invoice_somebody_waits_for(
    make_looks: Callable[..., Looks], listener: PostgresListener, redis_url: str
) -> None:
    make_looks(redis_url).ask(HASH)

    assert _heard(listener, 30) == [NOTICE]


def test_several_processes_make_one_notice(
    database: DatabaseOfOne, listener: PostgresListener, redis_url: str
) -> None:
    command = [sys.executable, "-c", _WORKER, database.app, redis_url, HASH]
    workers = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        with worker:
            assert worker.wait(60) == 0

    assert _heard(listener, 30) == [NOTICE]
    assert _heard(listener) == []


def test_several_workers_at_the_same_moment_make_one_notice(
    make_looks: Callable[..., Looks], listener: PostgresListener, redis_url: str
) -> None:
    barrier = Barrier(16, timeout=30)

    def worker(_: int) -> None:
        looks = make_looks(redis_url)
        barrier.wait()
        looks.ask(HASH)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(worker, range(16)))

    assert _heard(listener, 30) == [NOTICE]
    assert _heard(listener) == []


def test_after_five_seconds_there_may_be_another(
    make_looks: Callable[..., Looks], listener: PostgresListener, redis_url: str
) -> None:
    looks = make_looks(redis_url)
    looks.ask(HASH)
    _heard(listener, 30)
    with Redis.from_url(redis_url) as client:
        (key,) = client.keys("*")
        left = client.pttl(key)
        assert 0 < left <= 5_000
        client.pexpire(key, 1)
        while client.exists(key):
            pass

    looks.ask(HASH)

    assert _heard(listener, 30) == [NOTICE]


def _seconds(looks: Looks) -> float:
    began = monotonic()
    looks.ask(HASH)
    return monotonic() - began


def test_a_redis_that_hangs_is_skipped_at_once(
    make_looks: Callable[..., Looks], listener: PostgresListener, fragile: ValkeyServer
) -> None:
    warm, cold = make_looks(fragile.url, 0.025), make_looks(fragile.url, 0.025)
    warm._first()
    fragile.pause()
    try:
        for looks in (warm, cold):
            assert _seconds(looks) < 0.05 + SLACK_SECONDS
            assert _seconds(looks) < 0.01 + SLACK_SECONDS  # not even tried for a second
    finally:
        fragile.resume()

    assert _heard(listener) == []


def test_a_redis_that_was_killed_is_skipped_at_once(
    make_looks: Callable[..., Looks], listener: PostgresListener, fragile: ValkeyServer
) -> None:
    warm, cold = make_looks(fragile.url, 0.025), make_looks(fragile.url, 0.025)
    warm._first()
    fragile.kill()

    assert _seconds(warm) < 0.05 + SLACK_SECONDS
    assert _seconds(cold) < 0.05 + SLACK_SECONDS
    assert _heard(listener) == []
    fragile.start()


def test_redis_is_tried_again_after_a_second(
    database: DatabaseOfOne, listener: PostgresListener, fragile: ValkeyServer
) -> None:
    clock, link = Clock(), RedisLink(dialler(fragile.url), PATIENT_SECONDS)
    fragile.kill()
    with closing(Database(database.app)) as own:
        looks = Looks(link, own, clock.monotonic)
        looks.ask(HASH)
        fragile.start()
        clock.advance(seconds=0.9)
        looks.ask(HASH)
        assert _heard(listener) == []
        clock.advance(seconds=0.1)
        looks.ask(HASH)
        assert _heard(listener, 30) == [NOTICE]
    link.drop()


def test_without_a_database_nothing_is_raised(
    make_looks: Callable[..., Looks], redis_url: str, tmp_path: Path
) -> None:
    make_looks(redis_url, dsn=f"postgresql://nobody@/nothing?host={tmp_path}").ask(HASH)


def test_a_line_that_was_cut_is_opened_again(
    make_looks: Callable[..., Looks], listener: PostgresListener, redis_url: str
) -> None:
    looks = make_looks(redis_url)
    looks._database.execute("SELECT 1")
    looks._database.connection().close()

    looks.ask(HASH)

    assert _heard(listener, 30) == [NOTICE]
