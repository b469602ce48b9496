"""Settlers side by side: one that breaks ends all, and one that hangs holds up no other."""

from collections.abc import Callable
from threading import Event
from typing import cast

import pytest

from msty_invoice.service.settler import Settler
from msty_invoice.service.settlers import Settlers

_SECONDS = 5


class _Working:
    """Works until it is told to stop, or breaks."""

    def __init__(self, failure: Exception | None = None, meets: Event | None = None) -> None:
        self.failure = failure
        self.meets = meets
        self.working = Event()
        self.ended = Event()

    def run(self, stopped: Callable[[], bool]) -> None:
        self.working.set()
        if self.meets:
            assert self.meets.wait(_SECONDS), "the other one never began"
        if self.failure:
            raise self.failure
        while not stopped():
            Event().wait(0.01)
        self.ended.set()


def _settlers(*working: _Working) -> Settlers:
    return Settlers([cast("Settler", each) for each in working])


def test_all_of_them_work_at_once_and_stop_together() -> None:
    first, second = _Working(), _Working()
    first.meets, second.meets = second.working, first.working

    _settlers(first, second).run(lambda: first.working.is_set() and second.working.is_set())

    assert first.ended.is_set()
    assert second.ended.is_set()


def test_what_breaks_one_ends_all_and_is_raised() -> None:
    well = _Working()
    broken = _Working(ValueError("a bug"), meets=well.working)

    with pytest.raises(ValueError, match="a bug"):
        _settlers(well, broken).run(lambda: False)

    assert well.ended.is_set()


def test_a_single_one_needs_no_thread() -> None:
    with pytest.raises(ValueError, match="a bug"):
        _settlers(_Working(ValueError("a bug"))).run(lambda: False)
