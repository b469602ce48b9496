"""What a process does, and the failpoints that it reaches while it does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.integration.crashes.processes import Outcome
from tests.integration.crashes.world import World


def _nothing(world: World) -> None:
    """There is nothing to prepare."""


@dataclass(frozen=True)
class Scenario:
    """`act` is done with a failpoint, and again without one if `again` says so of the first.

    `arrange` returns what both and `check` are given. `check` sees the last outcome, and
    says what must have come of it.
    """

    name: str
    reaches: tuple[str, ...]
    act: Callable[[World, Any], Outcome]
    check: Callable[[World, Any, Outcome], None]
    arrange: Callable[[World], Any] = _nothing
    again: Callable[[Outcome], bool] = lambda first: True


def answered(*statuses: int) -> Callable[[World, Any, Outcome], None]:
    """A check that a client was answered so at last."""

    def check(world: World, subject: object, last: Outcome) -> None:
        assert last.told, last
        assert last.told[0] in statuses, last

    return check


def ended_well(world: World, subject: object, last: Outcome) -> None:
    """A check that a command ended with 0."""
    assert last.code == 0, last
