"""Never more than the cap in any window: against a model that counts by brute force."""

from collections import defaultdict
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msty_invoice.domain.limit import Bucket, Pair
from tests.storage.limiter.conftest import Timed

pairs = st.builds(Pair, st.just("p"), st.integers(1, 5), st.integers(1, 4))
limits = st.lists(st.lists(pairs, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3)
# Many steps are exactly a window or a microsecond off one, and many are none at all.
pauses = st.sampled_from([0.0, 0.0, 0.0, 0.000001, 0.25, 0.999999, 1.0, 1.000001, 2.0, 3.5])
requests = st.lists(
    st.tuples(pauses, st.sets(st.integers(0, 2), min_size=1)), min_size=1, max_size=40
)
thorough = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Counting:
    """Admits if for each pair of each bucket fewer than its cap were admitted in the window."""

    def __init__(self) -> None:
        self.admitted: dict[str, list[int]] = defaultdict(list)

    def admits(self, now: int, buckets: list[Bucket]) -> bool:
        """Decide and record."""
        if not all(self._room(now, b.key, pair) for b in buckets for pair in b.pairs):
            return False
        for bucket in buckets:
            self.admitted[bucket.key].append(now)
        return True

    def worst_window(self, key: str, pair: Pair) -> int:
        """The most admissions found in any half-open window of this length."""
        times = self.admitted[key]
        window = pair.window_seconds * 1_000_000
        return max((sum(t <= u < t + window for u in times) for t in times), default=0)

    def _room(self, now: int, key: str, pair: Pair) -> bool:
        window = pair.window_seconds * 1_000_000
        return sum(now < t + window for t in self.admitted[key]) < pair.cap


def _buckets(limits: list[tuple[Pair, ...]]) -> list[Bucket]:
    # Fresh keys, because the server outlives each example.
    return [Bucket(f"{uuid4()}", pairs) for pairs in limits]


@thorough
@given(limits=limits, requests=requests)
def test_no_window_ever_holds_more_than_its_cap_and_none_is_refused_needlessly(
    timed: Timed, limits: list[tuple[Pair, ...]], requests: list[tuple[float, set[int]]]
) -> None:
    buckets, model = _buckets(limits), Counting()
    for pause, chosen in requests:
        timed.clock.advance(pause)
        asked = [bucket for i, bucket in enumerate(buckets) if i in chosen] or buckets[:1]
        assert timed.admits(*asked) == model.admits(timed.clock.now_us, asked)
    for bucket in buckets:
        for pair in bucket.pairs:
            assert model.worst_window(bucket.key, pair) <= pair.cap


@thorough
@given(limits=limits, requests=requests, back=st.sampled_from([0.0, -0.5, -2.0]))
def test_both_logs_decide_alike_to_the_last_field(
    timed_redis: Timed,
    timed_local: Timed,
    limits: list[tuple[Pair, ...]],
    requests: list[tuple[float, set[int]]],
    back: float,
) -> None:
    buckets = _buckets(limits)
    _set_together(timed_redis, timed_local)
    for pause, chosen in requests:
        step = pause or back
        timed_redis.clock.advance(step)
        timed_local.clock.advance(step)
        asked = [bucket for i, bucket in enumerate(buckets) if i in chosen] or buckets[:1]
        assert timed_redis.decide(*asked) == timed_local.decide(*asked)


def _set_together(one: Timed, other: Timed) -> None:
    other.clock.advance((one.clock.now_us - other.clock.now_us) / 1_000_000)
    assert one.clock.now_us == other.clock.now_us
