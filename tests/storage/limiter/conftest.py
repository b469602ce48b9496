"""Both logs under one clock, and servers that may be hurt."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from msty_invoice.dev.valkey import ValkeyServer
from msty_invoice.domain.limit import Bucket, Decision
from msty_invoice.storage.local_log import LocalLog
from msty_invoice.storage.redis_link import RedisLink, dialler
from msty_invoice.storage.sliding_log import SlidingLog
from tests.storage.limiter.clocks import SCRIPT_ON_A_TEST_CLOCK, LocalClock, RedisClock

# A busy machine may pause a test for longer than a worker would wait for Redis.
PATIENT_SECONDS = 5.0

MANY = 1000  # more than any limit in these tests: a log that never refuses must not hang them


@dataclass(frozen=True)
class Timed:
    """A log and the clock it reads."""

    log: SlidingLog | LocalLog
    clock: LocalClock

    def decide(self, *buckets: Bucket) -> Decision:
        """Ask the log."""
        return self.log.decide(buckets)

    def admits(self, *buckets: Bucket) -> bool:
        """Ask the log for a yes or a no."""
        return self.decide(*buckets).admitted

    def spend(self, *buckets: Bucket) -> int:
        """Ask until refused, and count what was admitted."""
        return next(n for n in range(MANY) if not self.admits(*buckets))


@pytest.fixture
def redis(valkey_server: ValkeyServer) -> Iterator[Redis]:
    """A client for looking; the database is empty."""
    with Redis.from_url(valkey_server.url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def connect(valkey_server: ValkeyServer, redis: Redis) -> Iterator[Callable[[], SlidingLog]]:
    """Makes logs on the shared server, each with a connection of its own."""
    links: list[RedisLink] = []

    def make() -> SlidingLog:
        links.append(RedisLink(dialler(valkey_server.url), PATIENT_SECONDS))
        return SlidingLog(links[-1])

    yield make
    for link in links:
        link.drop()


@pytest.fixture
def timed_redis(valkey_server: ValkeyServer, redis: Redis) -> Iterator[Timed]:
    """The real script in the real server, on a clock that the test moves."""
    link = RedisLink(dialler(valkey_server.url), PATIENT_SECONDS)
    yield Timed(SlidingLog(link, SCRIPT_ON_A_TEST_CLOCK), RedisClock(redis))
    link.drop()


@pytest.fixture
def timed_local() -> Timed:
    """The worker's own log, on a clock that the test moves."""
    clock = LocalClock()
    return Timed(LocalLog(lambda: clock.now_us), clock)


@pytest.fixture(params=["timed_redis", "timed_local"])
def timed(request: pytest.FixtureRequest) -> Timed:
    """One log after the other: whatever holds for one holds for both."""
    log: Timed = request.getfixturevalue(request.param)
    return log


@pytest.fixture
def fragile() -> Iterator[ValkeyServer]:
    """A server for one test, which may pause, kill and restart it."""
    home = Path(tempfile.mkdtemp(prefix="msty-", dir="/tmp"))
    server = ValkeyServer(home)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(home)
