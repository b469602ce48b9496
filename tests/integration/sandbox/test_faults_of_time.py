"""Another clock than everybody's, and one that is coarse."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from msty_invoice.lightning.bolt11 import decode
from msty_invoice.lightning.river.signature import SignatureRules, verify
from tests.integration.sandbox.listeners import Listener
from tests.integration.sandbox.processes import CREATE, DEPOSITS, Sandbox

_NEAR = timedelta(seconds=10)


@pytest.mark.parametrize("hours", [-3, 3])
def test_its_clock_may_be_wrong_wherever_it_shows(
    sandbox: Sandbox, listener: Listener, hours: int
) -> None:
    secret = sandbox.register(listener.url)
    sandbox.set_faults(clock_offset_ms=hours * 3_600_000)
    there = datetime.now(UTC) + timedelta(hours=hours)

    intent = sandbox.create()
    answer = sandbox.call("GET", f"{DEPOSITS}/{sandbox.pay(intent)['deposit']}")
    webhook = listener.take()

    issued_at = datetime.fromtimestamp(decode(intent["destination"]).timestamp, UTC)
    deposited_at = datetime.fromtimestamp(answer.json()["timestamp"] / 1000, UTC)
    assert abs(issued_at - there) < _NEAR
    assert abs(deposited_at - there) < _NEAR
    assert abs(parsedate_to_datetime(answer.headers["Date"]) - there) < _NEAR
    verify(webhook.signature, webhook.raw_body, SignatureRules([bytes.fromhex(secret)]), there)


def test_a_clock_put_right_is_right(sandbox: Sandbox) -> None:
    sandbox.set_faults(clock_offset_ms=3_600_000)
    sandbox.set_faults()

    answer = sandbox.call("GET", DEPOSITS)

    assert abs(parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC)) < _NEAR


def test_what_concerns_everything_is_not_for_one_endpoint(sandbox: Sandbox) -> None:
    limited = {"clock_offset_ms": {"value": 1, "endpoint": CREATE}}

    answer = sandbox.call("PUT", "/_sandbox/faults", json=limited)

    assert answer.status_code == 400
    assert answer.json() == {"error": "clock_offset_ms cannot be limited to an endpoint."}


def _pages(sandbox: Sandbox, limit: int, one_later: int) -> list[list[Any]]:
    pages, query = [], {"limit": limit}
    while query:
        page = sandbox.ask("GET", DEPOSITS, params=query)
        pages.append(page["deposits"])
        following = page.get("next_timestamp")
        query = {"limit": limit, "next_timestamp": following + one_later} if following else {}
    return pages


def test_deposits_may_share_a_timestamp_across_pages(sandbox: Sandbox) -> None:
    paid = [sandbox.pay(sandbox.create())["deposit"] for _ in range(9)]
    sandbox.set_faults(timestamp_granularity_ms=86_400_000)

    (first, *_) = _pages(sandbox, 25, one_later=0)

    assert [deposit["id"] for deposit in first] == paid[::-1]
    assert len({deposit["timestamp"] for deposit in first}) <= 2  # a day may just have ended
    assert all(deposit["timestamp"] % 86_400_000 == 0 for deposit in first)


def test_who_asks_from_the_shared_timestamp_on_misses_its_rest(sandbox: Sandbox) -> None:
    sandbox.set_faults(timestamp_granularity_ms=86_400_000)
    for _ in range(4):
        sandbox.pay(sandbox.create())

    missed = _pages(sandbox, 3, one_later=0)
    whole = _pages(sandbox, 4, one_later=0)

    assert [len(page) for page in missed] == [3, 0]
    assert [len(page) for page in whole] == [4]


def test_an_invoice_may_be_paid_again_on_purpose(sandbox: Sandbox) -> None:
    intent = sandbox.create()
    first = sandbox.pay(intent)
    assert (
        sandbox.call(
            "POST", "/_sandbox/pay", json={"payment_request": intent["destination"]}
        ).status_code
        == 409
    )

    second = sandbox.pay(intent, again=True)

    assert second["deposit"] != first["deposit"]
    assert len(sandbox.state()["deposits"]) == 2
