"""The limiter always answers: Redis first, then this worker's log, and Redis again."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from redis.connection import AbstractConnection

from msty_invoice.dev.valkey import ValkeyServer
from msty_invoice.domain.limit import Bucket, Pair
from msty_invoice.storage.limiter import CircuitLimiter
from msty_invoice.storage.local_log import LocalLog
from msty_invoice.storage.redis_link import Dial, RedisLink, dialler
from msty_invoice.storage.sliding_log import SlidingLog
from tests.storage.limiter.faults import Serve, answering, hanging_up, serving, silent

CREATE = Bucket("create:192.0.2.1", (Pair("create", 50, 60),))
THREE = Bucket("create:192.0.2.1", (Pair("create", 3, 60),))

# 50 ms are promised. The rest is for a machine that is busy with other tests.
SOON_SECONDS = 0.25


class Worker:
    """A limiter with all it is given: a clock that stands still, and a count of its alerts."""

    def __init__(self, dial: Dial, patience: float = 0.025) -> None:
        self.link = RedisLink(dial, patience)
        self.now = 1000.0
        self.fallbacks = 0
        local = LocalLog(lambda: round(self.now * 1_000_000))
        self.limiter = CircuitLimiter(
            SlidingLog(self.link), local, lambda: self.now, self._count_fallback
        )

    def spend(self, bucket: Bucket) -> int:
        """Ask until refused, and count what was admitted."""
        return next(n for n in range(1000) if not self.limiter.decide([bucket]).admitted)

    def _count_fallback(self) -> None:
        self.fallbacks += 1


class Unreachable:
    """Counts how often Redis is tried."""

    def __init__(self) -> None:
        self.tried = 0

    def __call__(self, seconds: float) -> AbstractConnection:
        self.tried += 1
        raise redis.ConnectionError("refused")


@contextmanager
def worker_at(url: str, patience: float = 0.025) -> Iterator[Worker]:
    """A worker whose Redis is at `url`."""
    worker = Worker(dialler(url), patience)
    try:
        yield worker
    finally:
        worker.link.drop()


def test_while_redis_answers_it_decides_for_all_workers(fragile: ValkeyServer) -> None:
    with worker_at(fragile.url, 5.0) as one, worker_at(fragile.url, 5.0) as other:
        assert one.spend(CREATE) == 50
        assert other.spend(CREATE) == 0
        assert one.fallbacks == other.fallbacks == 0


def test_without_redis_each_worker_admits_the_whole_limit_and_no_more() -> None:
    worker = Worker(Unreachable())
    assert worker.spend(CREATE) == 50
    worker.now += 59.9
    assert worker.spend(CREATE) == 0
    worker.now += 0.1
    assert worker.spend(CREATE) == 50


def test_a_redis_that_failed_is_left_alone_for_a_second() -> None:
    unreachable = Unreachable()
    worker = Worker(unreachable)
    for elapsed in (0, 0, 0.5, 0.49):
        worker.now += elapsed
        worker.limiter.decide([CREATE])
    assert unreachable.tried == 1
    worker.now += 0.01
    worker.limiter.decide([CREATE])
    assert unreachable.tried == 2


def test_every_decision_without_redis_is_counted() -> None:
    worker = Worker(Unreachable())
    for _ in range(7):
        worker.limiter.decide([CREATE])
    assert worker.fallbacks == 7


def test_a_warning_says_why_at_most_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(Unreachable())
    with caplog.at_level(logging.WARNING):
        for _ in range(60):
            worker.limiter.decide([CREATE])
            worker.now += 1
        assert [record.__dict__["cause"] for record in caplog.records] == [
            "ConnectionError: refused"
        ]
        worker.limiter.decide([CREATE])
    assert len(caplog.records) == 2


def test_a_paused_redis_costs_one_decision_its_patience_and_the_next_nothing(
    fragile: ValkeyServer,
) -> None:
    with worker_at(fragile.url) as worker:
        worker.limiter.decide([THREE])
        fragile.pause()
        began = time.monotonic()
        assert worker.limiter.decide([THREE]).admitted
        paused = time.monotonic() - began
        assert worker.spend(THREE) == 2
        left_alone = time.monotonic() - began - paused
        fragile.resume()
    assert 0.02 < paused < SOON_SECONDS
    assert left_alone < 0.02


def test_a_redis_that_came_back_decides_again(fragile: ValkeyServer) -> None:
    with worker_at(fragile.url, 5.0) as worker:
        assert worker.limiter.decide([CREATE]).remaining == 49
        fragile.kill()
        assert worker.limiter.decide([CREATE]).remaining == 49
        fragile.start()
        assert worker.limiter.decide([CREATE]).remaining == 48
        worker.now += 1
        fallbacks = worker.fallbacks
        assert worker.limiter.decide([CREATE]).admitted
        assert worker.fallbacks == fallbacks


@pytest.mark.parametrize(
    "serve",
    [
        pytest.param(hanging_up, id="hangs-up"),
        pytest.param(silent, id="silent"),
        pytest.param(answering(b"garbage\r\n"), id="garbage"),
        pytest.param(answering(b"*4\r\n:1\r\n"), id="half-a-reply"),
        pytest.param(answering(b"-NOAUTH Authentication required.\r\n"), id="password-wanted"),
        pytest.param(answering(b"-READONLY You can't write.\r\n"), id="replica"),
        pytest.param(answering(b"*2\r\n:1\r\n:1\r\n"), id="another-shape"),
        pytest.param(answering(b"$-1\r\n"), id="nothing"),
    ],
)
def test_no_failure_of_redis_reaches_the_caller_or_keeps_it_waiting(serve: Serve) -> None:
    with serving(serve) as url, worker_at(url) as worker:
        for n in range(1, 4):
            began = time.monotonic()
            assert worker.limiter.decide([CREATE]).remaining == 50 - n
            assert time.monotonic() - began < SOON_SECONDS
            worker.now += 1


def test_whether_redis_answers_can_be_asked_at_any_time(fragile: ValkeyServer) -> None:
    with worker_at(fragile.url, 5.0) as worker:
        assert worker.limiter.redis_answers()
        fragile.kill()
        assert not worker.limiter.redis_answers()
        assert worker.fallbacks == 0
