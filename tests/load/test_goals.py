"""The arithmetic of the goals."""

import pytest

from tests.load.bench.cases import Case
from tests.load.bench.goals import CEILING, OURS, PEER, Goal, Samples, goals, rate_ratios
from tests.load.conftest import sample


def _goal(samples: Samples, words: str) -> Goal:
    return next(goal for goal in goals(samples) if words in goal.name)


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine was half as fast in the second round: the ratio does not notice.
    samples = {OURS: [sample(rate=800), sample(rate=400)], PEER: [sample(100), sample(50)]}

    assert rate_ratios(samples, OURS, PEER) == [8.0, 8.0]


def test_a_goal_is_judged_by_the_median_round() -> None:
    slow, usual, quick = sample(rate=50), sample(rate=120), sample(rate=900)
    samples = {OURS: [slow, usual, quick], CEILING: [sample(1000)] * 3}

    goal = _goal(samples, "of bare Falcon")

    assert goal.measured == pytest.approx(0.12)
    assert goal.met


def test_a_goal_just_missed_is_missed() -> None:
    samples = {OURS: [sample(rate=699)], PEER: [sample(rate=100)]}

    assert _goal(samples, "× LNbits as shipped").met is False


def test_only_app_and_database_count_in_the_processor_goal() -> None:
    ours = sample(workers_us=700, postgres_us=300)
    peer = sample(workers_us=5000, postgres_us=1000)

    goal = _goal({OURS: [ours], PEER: [peer]}, "processor time")

    assert goal.measured == pytest.approx(1 / 6)
    assert goal.met


@pytest.mark.parametrize(("workers", "possible"), [(5, 24.39), (17, 82.93)])
def test_a_slow_provider_leaves_workers_by_latency(workers: int, possible: float) -> None:
    just_enough = {Case("msty", workers, 200): [sample(rate=0.951 * possible)]}
    too_few = {Case("msty", workers, 200): [sample(rate=0.949 * possible)]}

    assert _goal(just_enough, f"{workers} workers at 200 ms").met
    assert _goal(too_few, f"{workers} workers at 200 ms").met is False


def test_the_largest_worker_of_any_of_our_cases_counts() -> None:
    samples = {
        OURS: [sample(mib=25)],
        Case("msty", 17, 200): [sample(mib=41)],
        PEER: [sample(mib=150)],
    }

    goal = _goal(samples, "MiB")

    assert goal.measured == 41
    assert goal.met is False


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert [goal.met for goal in goals({PEER: [sample()]})] == [None] * 7
