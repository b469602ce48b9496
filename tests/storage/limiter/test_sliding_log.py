"""The log in Redis by Redis' own clock: races, expiry, the script's life."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from redis import Redis

import msty_invoice
from msty_invoice.dev.valkey import ValkeyServer
from msty_invoice.domain.limit import Bucket, Pair
from msty_invoice.storage.sliding_log import KEY_PREFIX, SlidingLog
from tests.storage.limiter.conftest import MANY
from tests.storage.limiter.faults import log_at

Connect = Callable[[], SlidingLog]
CLIENTS = 32
CREATE = Bucket("create:2001:db8::/64", (Pair("create", 50, 60),))
SECOND = Bucket("create:192.0.2.1", (Pair("create", 5, 1),))

# A worker that was forked after its parent had already asked.
_FORK = """
import os, sys
from msty_invoice.storage.redis_link import RedisLink, dialler
link = RedisLink(dialler(sys.argv[1]), 5.0)
def connection():
    print(link.ask(link.deadline(), "CLIENT", "ID"), flush=True)
connection()
child = os.fork()
if child:
    os.waitpid(child, 0)
connection()
"""


def test_exactly_the_cap_is_admitted_to_clients_who_ask_at_once(connect: Connect) -> None:
    logs = [connect() for _ in range(CLIENTS)]

    def ask(log: SlidingLog) -> int:
        return sum(log.decide([CREATE]).admitted for _ in range(10))

    with ThreadPoolExecutor(CLIENTS) as clients:
        assert sum(clients.map(ask, logs)) == 50


def test_clients_who_ask_for_two_buckets_in_either_order_never_deadlock_or_overspend(
    connect: Connect, redis: Redis
) -> None:
    shared = Bucket("key:9", (Pair("key", 30, 60),))

    def ask(turn: int) -> int:
        buckets = [CREATE, shared] if turn % 2 else [shared, CREATE]
        log = connect()
        return sum(log.decide(buckets).admitted for _ in range(5))

    with ThreadPoolExecutor(CLIENTS) as clients:
        assert sum(clients.map(ask, range(CLIENTS))) == 30
    assert redis.llen(KEY_PREFIX + CREATE.key) == 30


def test_the_window_slides_by_redis_own_clock(connect: Connect, redis: Redis) -> None:
    log = connect()
    first = _microseconds(redis)
    _spend(log, SECOND)
    end = time.monotonic() + 5
    while not log.decide([SECOND]).admitted and time.monotonic() < end:
        time.sleep(0.005)
    assert 1_000_000 <= _microseconds(redis) - first < 1_500_000


def test_under_constant_fire_no_second_holds_more_than_the_cap(
    connect: Connect, redis: Redis
) -> None:
    log, admitted = connect(), []
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        if log.decide([SECOND]).admitted:
            admitted.append(int(redis.lindex(KEY_PREFIX + SECOND.key, 0) or 0))
        time.sleep(0.001)
    assert len(admitted) >= 10
    sixths = zip(admitted, admitted[5:], strict=False)
    assert all(later - earlier >= 1_000_000 for earlier, later in sixths)


def test_every_key_expires_soon_after_its_longest_window(connect: Connect, redis: Redis) -> None:
    hourly = Bucket("create:192.0.2.7", (Pair("create-hourly", 9, 3600), Pair("create", 5, 60)))
    log = connect()
    for _ in range(7):
        log.decide([CREATE, hourly])
    assert _lifetimes(redis) == {
        KEY_PREFIX + CREATE.key: 60,
        KEY_PREFIX + hourly.key: 3600,
    }


def test_an_admission_prolongs_a_key_and_a_refusal_does_not(connect: Connect, redis: Redis) -> None:
    log, key = connect(), KEY_PREFIX + SECOND.key
    log.decide([SECOND])
    redis.pexpire(key, 500)
    log.decide([SECOND])
    assert redis.pttl(key) > 1000
    _spend(log, SECOND)
    redis.pexpire(key, 500)
    log.decide([SECOND])
    assert redis.pttl(key) <= 500


def test_a_log_is_never_longer_than_its_cap(connect: Connect, redis: Redis) -> None:
    log, key = connect(), KEY_PREFIX + SECOND.key
    for at in range(20):
        redis.lpush(key, at)
    log.decide([SECOND])
    assert redis.llen(key) == 5


def test_a_large_cap_is_counted_exactly(connect: Connect) -> None:
    budget = Bucket("key:7", (Pair("key", 1000, 60),))
    log = connect()
    assert sum(log.decide([budget]).admitted for _ in range(1010)) == 1000


def test_a_script_that_redis_forgot_is_sent_again(connect: Connect, redis: Redis) -> None:
    log = connect()
    left = [log.decide([CREATE]).remaining]
    redis.script_flush()
    left += [log.decide([CREATE]).remaining for _ in range(2)]
    assert left == [49, 48, 47]


def test_a_decision_is_one_call_and_connecting_adds_none(fragile: ValkeyServer) -> None:
    with Redis.from_url(fragile.url) as client:
        with log_at(fragile.url, patience=5.0) as log:
            log.decide([CREATE])
        client.config_resetstat()
        with log_at(fragile.url, patience=5.0) as log:
            for _ in range(10):
                log.decide([CREATE, SECOND])
        calls: Any = client.info("commandstats")
    assert calls["cmdstat_evalsha"]["calls"] == 10
    assert not [name for name in calls if name.startswith(("cmdstat_client", "cmdstat_hello"))]


def test_a_forked_worker_opens_a_connection_of_its_own(
    valkey_server: ValkeyServer,
) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _FORK, valkey_server.url],
        cwd=Path(msty_invoice.__file__).parents[1],
        capture_output=True,
        check=True,
        text=True,
    )
    before, child, after = answer.stdout.split()
    assert before == after != child


def _spend(log: SlidingLog, bucket: Bucket) -> int:
    return next(n for n in range(MANY) if not log.decide([bucket]).admitted)


def _microseconds(redis: Redis) -> int:
    now: Any = redis.time()
    return int(now[0] * 1_000_000 + now[1])


def _lifetimes(redis: Redis) -> dict[str, int]:
    """Seconds each key lives, without the second of margin."""
    keys: Any = redis.keys("*")
    return {key.decode(): round(redis.pttl(key) / 1000) - 1 for key in keys}
