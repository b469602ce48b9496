"""What the log in Redis and the log in a worker's memory both do."""

import pytest

from msty_invoice.domain.limit import Bucket, Pair
from tests.storage.limiter.conftest import Timed

MICROSECOND = 0.000_001
CREATE = Bucket("create:192.0.2.1", (Pair("create", 50, 60),))
THREE = Bucket("create:192.0.2.1", (Pair("create", 3, 60),))
NEIGHBOUR = Bucket("create:192.0.2.2", (Pair("create", 3, 60),))
BOTH_WINDOWS = Bucket("create:192.0.2.1", (Pair("create", 3, 60), Pair("create-hourly", 5, 3600)))


def test_the_cap_is_admitted_and_not_one_more(timed: Timed) -> None:
    assert timed.spend(CREATE) == 50


def test_an_admission_is_forgotten_the_moment_it_is_a_window_old(timed: Timed) -> None:
    assert timed.spend(THREE) == 3
    timed.clock.advance(60 - MICROSECOND)
    assert not timed.admits(THREE)
    timed.clock.advance(MICROSECOND)
    assert timed.spend(THREE) == 3


def test_a_full_cap_before_a_minute_boundary_leaves_nothing_after_it(timed: Timed) -> None:
    timed.clock.advance(59.5 - timed.clock.now_us / 1_000_000 % 60)
    assert timed.spend(CREATE) == 50
    for _ in range(59):
        timed.clock.advance(1)
        assert not timed.admits(CREATE)
    timed.clock.advance(1)
    assert timed.spend(CREATE) == 50


def test_the_window_slides_admission_by_admission(timed: Timed) -> None:
    for _ in range(3):
        assert timed.admits(THREE)
        timed.clock.advance(10)
    timed.clock.advance(30)
    assert timed.spend(THREE) == 1
    timed.clock.advance(10)
    assert timed.spend(THREE) == 1


def test_refused_requests_do_not_count(timed: Timed) -> None:
    timed.spend(THREE)
    for _ in range(59):
        timed.clock.advance(1)
        assert not timed.admits(THREE)
    timed.clock.advance(1)
    assert timed.admits(THREE)


def test_neighbours_do_not_affect_each_other(timed: Timed) -> None:
    assert timed.spend(THREE) == 3
    assert timed.spend(NEIGHBOUR) == 3


@pytest.mark.parametrize("order", [1, -1])
def test_every_pair_of_a_bucket_holds_in_whatever_order(timed: Timed, order: int) -> None:
    bucket = Bucket(BOTH_WINDOWS.key, BOTH_WINDOWS.pairs[::order])
    assert timed.spend(bucket) == 3
    timed.clock.advance(60)
    assert timed.spend(bucket) == 2
    timed.clock.advance(3600 - 60 - MICROSECOND)
    assert timed.spend(bucket) == 0
    timed.clock.advance(MICROSECOND)
    assert timed.spend(bucket) == 3


def test_every_bucket_of_a_call_holds(timed: Timed) -> None:
    shared = Bucket("key:9", (Pair("key", 4, 60),))
    assert timed.spend(THREE, shared) == 3
    assert timed.spend(NEIGHBOUR, shared) == 1
    assert timed.spend(NEIGHBOUR) == 2


def test_one_bucket_refusing_spends_nothing_of_the_others(timed: Timed) -> None:
    timed.spend(THREE)
    for _ in range(5):
        assert not timed.admits(NEIGHBOUR, THREE)
    assert timed.spend(NEIGHBOUR) == 3


def test_what_is_left_counts_this_request(timed: Timed) -> None:
    assert [timed.decide(THREE).remaining for _ in range(4)] == [2, 1, 0, 0]


def test_the_reset_is_when_the_oldest_admission_leaves_the_window(timed: Timed) -> None:
    assert timed.decide(THREE).reset_seconds == 60
    timed.clock.advance(20.5)
    assert timed.decide(THREE).reset_seconds == 40
    timed.clock.advance(39.5)
    assert timed.decide(THREE).reset_seconds == 21


def test_an_admitted_request_has_nothing_to_wait_for(timed: Timed) -> None:
    assert timed.decide(THREE).wait_seconds == 0


def test_who_waits_as_long_as_told_is_admitted_and_a_second_less_is_not_enough(
    timed: Timed,
) -> None:
    timed.admits(THREE)
    timed.clock.advance(12.25)
    timed.spend(THREE)
    wait = timed.decide(THREE).wait_seconds
    assert wait == 48
    timed.clock.advance(wait - 1)
    assert timed.decide(THREE).wait_seconds == 1
    timed.clock.advance(1)
    assert timed.admits(THREE)


def test_the_wait_is_a_second_at_least(timed: Timed) -> None:
    timed.spend(THREE)
    timed.clock.advance(60 - MICROSECOND)
    assert timed.decide(THREE).wait_seconds == 1


def test_the_pair_with_fewest_left_is_reported(timed: Timed) -> None:
    minute, hour = BOTH_WINDOWS.pairs
    assert timed.decide(BOTH_WINDOWS).pair == minute
    timed.spend(BOTH_WINDOWS)
    timed.clock.advance(60)
    decision = timed.decide(BOTH_WINDOWS)
    assert (decision.pair, decision.remaining) == (hour, 1)


def test_the_pair_with_fewest_left_is_found_in_any_bucket(timed: Timed) -> None:
    tight = Bucket("key:9", (Pair("key", 2, 30),))
    decision = timed.decide(THREE, tight, NEIGHBOUR)
    assert (decision.pair, decision.remaining) == (tight.pairs[0], 1)


def test_what_every_pair_still_admits_is_told_in_the_order_asked(timed: Timed) -> None:
    assert timed.decide(NEIGHBOUR, BOTH_WINDOWS).left == (2, 2, 4)
    timed.spend(NEIGHBOUR)
    for _ in range(2):
        assert timed.decide(BOTH_WINDOWS, NEIGHBOUR).left == (2, 4, 0)


def test_of_two_exhausted_pairs_the_one_that_takes_longest_is_reported(timed: Timed) -> None:
    hour = Bucket("key:9", (Pair("key", 3, 3600),))
    timed.spend(THREE, hour)
    timed.clock.advance(1)
    for buckets in ((THREE, hour), (hour, THREE)):
        decision = timed.decide(*buckets)
        assert (decision.pair.policy, decision.wait_seconds) == ("key", 3599)


def test_a_clock_that_steps_back_opens_nothing(timed: Timed) -> None:
    timed.spend(THREE)
    timed.clock.advance(-30)
    decision = timed.decide(THREE)
    assert not decision.admitted
    assert decision.wait_seconds == 60
    timed.clock.advance(90 - MICROSECOND)
    assert not timed.admits(THREE)
    timed.clock.advance(MICROSECOND)
    assert timed.admits(THREE)


def test_after_a_step_back_admissions_stay_in_order(timed: Timed) -> None:
    timed.admits(THREE)
    timed.clock.advance(-30)
    assert timed.spend(THREE) == 2
    timed.clock.advance(90 - MICROSECOND)
    assert timed.spend(THREE) == 0


def test_a_larger_cap_for_the_same_bucket_counts_what_was_admitted(timed: Timed) -> None:
    timed.spend(THREE)
    assert timed.spend(Bucket(THREE.key, (Pair("create", 5, 60),))) == 2


def test_a_smaller_cap_for_the_same_bucket_refuses(timed: Timed) -> None:
    timed.spend(CREATE)
    assert not timed.admits(THREE)
