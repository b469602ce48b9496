"""The pattern that fools counters: a whole limit on each side of a minute's boundary."""

import pytest

from msty_invoice.domain.limit import Bucket, Pair
from tests.storage.limiter.conftest import Timed

CAP = 50


@pytest.mark.parametrize("window", [3, 60])
def test_a_limit_spent_before_a_boundary_is_spent_after_it(timed: Timed, window: int) -> None:
    create = Bucket("create:192.0.2.1", (Pair("create", CAP, window),))
    # The clocks start at a multiple of both windows.
    timed.clock.advance(window - 1)

    admitted = timed.spend(create)
    after = 0
    for _ in range(window - 1):
        timed.clock.advance(0.999999)
        after += timed.spend(create)

    assert (admitted, after) == (CAP, 0)


@pytest.mark.parametrize("window", [3, 60])
def test_the_limit_is_back_when_its_window_has_passed(timed: Timed, window: int) -> None:
    create = Bucket("create:192.0.2.1", (Pair("create", CAP, window),))
    timed.clock.advance(window - 1)
    timed.spend(create)

    timed.clock.advance(window)

    assert timed.spend(create) == CAP
