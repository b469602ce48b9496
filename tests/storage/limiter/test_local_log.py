"""What only the worker's own log does: it stays small."""

from msty_invoice.domain.limit import Bucket, Pair
from msty_invoice.storage.local_log import LocalLog
from tests.storage.limiter.clocks import LocalClock

ONE = (Pair("create", 1, 60),)


def test_when_full_it_forgets_the_bucket_admitted_least_recently() -> None:
    log = LocalLog(lambda: LocalClock().now_us, max_buckets=3)
    twice = (Pair("create", 2, 60),)
    for name in ("old", "middle", "new", "old", "newest"):
        assert log.decide([Bucket(name, twice)]).admitted
    left = {name: log.decide([Bucket(name, twice)]).remaining for name in ("old", "new", "middle")}
    assert left == {"old": 0, "new": 0, "middle": 1}


def test_a_flood_of_addresses_leaves_no_more_than_the_bound() -> None:
    log = LocalLog(lambda: LocalClock().now_us, max_buckets=100)
    for n in range(1000):
        log.decide([Bucket(f"create:{n}", ONE)])
    assert len(log._logs) == 100


def test_refused_requests_take_no_room() -> None:
    log = LocalLog(lambda: LocalClock().now_us)
    for _ in range(1000):
        log.decide([Bucket("create:1", ONE)])
    assert len(log._logs["create:1"]) == 1
