"""redis+sentinel://…: the master is found, lost, and found again without a restart."""

import signal
import time
from collections.abc import Iterator

import pytest
import redis

from msty_invoice.domain.limit import Bucket, Pair
from msty_invoice.storage.limiter import CircuitLimiter
from msty_invoice.storage.local_log import LocalLog
from msty_invoice.storage.redis_link import RedisLink, dialler
from msty_invoice.storage.sliding_log import RedisAway, SlidingLog
from tests.integration.sandbox.processes import until
from tests.storage.sentinel.conftest import Fleet
from tests.storage.sentinel.servers import NAME, Server

CREATE = Bucket("create:192.0.2.1", (Pair("create", 50, 60),))
# 50 ms are promised. The rest is for a machine that is busy with other tests.
SOON_SECONDS = 0.25


class Worker:
    """A limiter as a worker has it, and what it fell back on."""

    def __init__(self, url: str) -> None:
        self.fallbacks = 0
        self.slowest = 0.0
        self._link = RedisLink(dialler(url))
        self.log = SlidingLog(self._link)
        local = LocalLog(lambda: time.monotonic_ns() // 1000)
        self._limiter = CircuitLimiter(self.log, local, time.monotonic, self._fell_back)

    def asks_redis(self) -> bool:
        """Decide once; whether Redis did it."""
        before, began = self.fallbacks, time.monotonic()
        self._limiter.decide([CREATE])
        self.slowest = max(self.slowest, time.monotonic() - began)
        return self.fallbacks == before

    def drop(self) -> None:
        self._link.drop()

    def _fell_back(self) -> None:
        self.fallbacks += 1


@pytest.fixture
def worker(fleet: Fleet) -> Iterator[Worker]:
    made = Worker(fleet.url)
    yield made
    made.drop()


def _counted(server: Server, database: int = 0) -> int:
    count = server.ask("LLEN", f"msty:limit:{CREATE.key}", database=database)
    assert isinstance(count, int)
    return count


def _role(server: Server) -> object:
    role = server.ask("ROLE")
    assert isinstance(role, list)
    return role[0]


def _fails_over(sentinel: Server) -> bool:
    """Order a failover; False while the Sentinel has not yet seen the replica's copy."""
    try:
        return bool(sentinel.ask("SENTINEL", "FAILOVER", NAME))
    except redis.ResponseError:
        return False


def _eventually_asks_redis(worker: Worker) -> None:
    until(worker.asks_redis, lambda seen: seen)


def test_the_master_is_found_through_the_sentinels(fleet: Fleet, worker: Worker) -> None:
    _eventually_asks_redis(worker)

    assert _counted(fleet.master) >= 1


def test_a_sentinel_that_is_gone_is_passed_over(fleet: Fleet, worker: Worker) -> None:
    fleet.sentinels[0].process.stop(signal.SIGKILL)

    _eventually_asks_redis(worker)

    assert _counted(fleet.master) >= 1


def test_a_sentinel_that_hangs_is_passed_over(fleet: Fleet, worker: Worker) -> None:
    fleet.sentinels[0].process.send(signal.SIGSTOP)

    _eventually_asks_redis(worker)

    assert _counted(fleet.master) >= 1
    assert worker.slowest < SOON_SECONDS


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_a_failover_needs_no_restart(fleet: Fleet, worker: Worker, how: signal.Signals) -> None:
    _eventually_asks_redis(worker)
    if how is signal.SIGKILL:
        fleet.master.process.stop(how)
    else:
        fleet.master.process.send(how)
    assert not worker.asks_redis()

    _eventually_asks_redis(worker)

    assert _counted(fleet.replica) >= 1
    assert worker.slowest < SOON_SECONDS


def test_a_master_that_became_a_replica_is_left(fleet: Fleet, worker: Worker) -> None:
    _eventually_asks_redis(worker)
    until(lambda: _fails_over(fleet.sentinels[0]), lambda begun: begun)
    until(lambda: _role(fleet.replica), lambda role: role == b"master")
    # Sentinels do this to the old master some ten seconds later.
    fleet.master.ask("REPLICAOF", "127.0.0.1", fleet.replica.port)

    _eventually_asks_redis(worker)

    assert _role(fleet.master) == b"slave"
    assert _counted(fleet.replica) >= 1
    assert worker.slowest < SOON_SECONDS


def test_user_password_and_database_are_the_masters(fleet: Fleet) -> None:
    fleet.master.ask("ACL", "SETUSER", "limiter", "on", ">p@ss", "~msty:*", "+@all")
    url = fleet.url.replace("//", "//limiter:p%40ss@").replace("/limits/0", "/limits/3")
    worker = Worker(url)

    _eventually_asks_redis(worker)
    worker.drop()

    assert _counted(fleet.master, database=3) >= 1
    with pytest.raises(RedisAway):
        SlidingLog(RedisLink(dialler(url.replace("p%40ss", "wrong")))).decide([CREATE])


def test_without_any_sentinel_the_limiter_is_told_soon(fleet: Fleet) -> None:
    for sentinel in fleet.sentinels:
        sentinel.process.stop(signal.SIGKILL)
    link = RedisLink(dialler(fleet.url))
    began = time.monotonic()

    with pytest.raises(RedisAway):
        SlidingLog(link).decide([CREATE])

    assert time.monotonic() - began < SOON_SECONDS


def test_an_unknown_master_is_no_master(fleet: Fleet) -> None:
    link = RedisLink(dialler(fleet.url.replace("/limits/", "/others/")))

    with pytest.raises(RedisAway, match="No master found for 'others'"):
        SlidingLog(link).decide([CREATE])


@pytest.mark.parametrize(
    "url", ["redis+sentinel://a:1", "redis+sentinel://a:1/", "redis+sentinel:x"]
)
def test_another_form_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        dialler(url)
