"""Killed, ended, cut off or left without an answer, anywhere: run again, the books come right."""

import signal

import pytest

from msty_invoice.failpoints.plan import Action
from tests.integration.crashes import invariants
from tests.integration.crashes.matrix import Case, cases
from tests.integration.crashes.processes import Outcome
from tests.integration.crashes.world import World

# 75: a dependency is away. Nothing else may come of it, and never a bug's traceback.
_ENDS = {
    Action.KILL: {-signal.SIGKILL},
    Action.TERM: {-signal.SIGTERM, 0},
    Action.CUT: {0, 75},
    Action.LOSE: {0, 75},
}


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_wherever_it_fails_the_books_come_out_right(case: Case, world: World) -> None:
    subject = case.scenario.arrange(world)

    last = _fail(case, world, subject)
    world.let_time_pass()
    if case.scenario.again(last):
        last = case.scenario.act(world, subject)

    case.scenario.check(world, subject, last)
    world.let_time_pass()
    assert world.come_to_rest().code == 0, world.said()
    invariants.check(world)


def _fail(case: Case, world: World, subject: object) -> Outcome:
    world.failpoints = f"{case.failpoint}={case.action}"
    first = case.scenario.act(world, subject)
    world.failpoints = ""
    assert f"failpoint {case.failpoint}: {case.action}" in world.said(), "never reached"
    assert first.code in _ENDS[case.action], world.said()
    assert not first.told or first.told[0] != 500, world.said()
    return first
