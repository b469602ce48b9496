"""A provider that is away, and comes back with all it knew."""

from collections.abc import Callable
from typing import Any

import pytest

from msty_invoice.dev.process import ProgramFailed
from tests.integration.providers.conftest import status_of
from tests.integration.providers.houses import House
from tests.integration.running import Service
from tests.integration.settlement.conftest import Operator


def test_what_was_paid_before_and_after_a_restart_settles(
    service: Service, operator: Operator, house: House, books: Callable[..., list[Any]]
) -> None:
    house.tell(webhooks=False)
    before, after, never = (service.create().json() for _ in range(3))
    house.pay(before["paymentRequest"])
    house.stop()

    with pytest.raises(ProgramFailed, match="75"):
        operator.run("reconcile", EXPIRY_GRACE="0")
    refused = service.create()
    assert (refused.status_code, refused.json()["code"]) == (503, "PROVIDER_UNAVAILABLE")
    assert status_of(books, before) == "pending"

    house.start()
    operator.run("reconcile")
    assert [status_of(books, it) for it in (before, after, never)] == ["settled", *["pending"] * 2]
    house.pay(after["paymentRequest"])
    operator.run("reconcile")
    assert [status_of(books, it) for it in (after, never)] == ["settled", "pending"]
