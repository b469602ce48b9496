"""Webhooks: signed as River says, and repeated until they are answered 2xx."""

import hmac
import json
import time
from hashlib import sha256
from typing import Any

import pytest

from tests.integration.sandbox.conftest import StartSandbox
from tests.integration.sandbox.listeners import Listener, Received
from tests.integration.sandbox.processes import WEBHOOKS, Sandbox, until


def _is_genuine(received: Received, secret: str) -> bool:
    """As River's authentication page has it, in its own words."""
    header = json.loads(received.signature)
    message = header["timestamp"].encode() + b"." + received.raw_body
    expected = hmac.new(bytes.fromhex(secret), message, sha256).digest()
    return hmac.compare_digest(bytes.fromhex(header["signature"]), expected)


def _ids(received: list[Received]) -> list[str]:
    return [json.loads(webhook.raw_body)["id"] for webhook in received]


def _settle(sandbox: Sandbox) -> str:
    return str(sandbox.pay(sandbox.create())["deposit"])


def _all_delivered(sandbox: Sandbox) -> Any:
    return until(sandbox.state, lambda state: state["counts"]["webhooks_undelivered"] == 0)


def test_a_deposit_is_announced_and_signed(sandbox: Sandbox, listener: Listener) -> None:
    secret = sandbox.register(listener.url)
    deposit = _settle(sandbox)

    received = listener.take()

    assert json.loads(received.raw_body) == {"id": deposit, "type": "DEPOSIT", "state": "SUCCESS"}
    assert _is_genuine(received, secret)
    assert not _is_genuine(received, "00" * 32)
    timestamp = json.loads(received.signature)["timestamp"]
    assert abs(int(timestamp) - time.time()) < 5


@pytest.mark.parametrize(("fee_limit", "state"), [(300, "SUCCESS"), (0, "FAIL")])
def test_a_withdrawal_is_announced(
    sandbox: Sandbox, listener: Listener, fee_limit: int, state: str
) -> None:
    intent = sandbox.create()
    sandbox.register(listener.url)
    withdrawal = sandbox.withdraw(intent["destination"], fee_limit=fee_limit)

    documents = [json.loads(listener.take().raw_body)]
    if state == "SUCCESS":  # then the invoice it pays is settled, too, in any order
        documents.append(json.loads(listener.take().raw_body))

    assert {"id": withdrawal["id"], "type": "WITHDRAWAL", "state": state} in documents


def test_the_layout_and_unit_may_be_others(start_sandbox: StartSandbox, listener: Listener) -> None:
    sandbox = start_sandbox("--signature-layout", "kv", "--timestamp-unit", "ms")
    secret = sandbox.register(listener.url)
    _settle(sandbox)

    received = listener.take()

    pairs = dict(pair.split("=") for pair in received.signature.split(","))
    assert pairs.keys() == {"timestamp", "signature"}
    assert abs(int(pairs["timestamp"]) / 1000 - time.time()) < 5
    assert _is_genuine(Received(json.dumps(pairs), received.raw_body), secret)


def test_a_webhook_is_repeated_until_answered_2xx(sandbox: Sandbox, listener: Listener) -> None:
    listener.answers += [500, 302, 404]
    secret = sandbox.register(listener.url)
    deposit = _settle(sandbox)

    received = [listener.take() for _ in range(4)]

    assert _ids(received) == [deposit] * 4
    assert all(_is_genuine(webhook, secret) for webhook in received)
    (delivery,) = _all_delivered(sandbox)["deliveries"]
    assert (delivery["attempts"], delivery["last_status"]) == (4, 200)
    assert delivery["delivered"] is True
    assert listener.is_empty()


def test_an_address_nobody_listens_at_is_tried_again(sandbox: Sandbox) -> None:
    first = Listener()
    first.close()
    sandbox.register(first.url)
    deposit = _settle(sandbox)
    until(sandbox.state, lambda state: state["deliveries"][0]["attempts"] > 0)

    second = Listener(first.port)

    assert _ids([second.take()]) == [deposit]
    _all_delivered(sandbox)
    second.close()


def test_without_a_webhook_nothing_is_sent(sandbox: Sandbox) -> None:
    _settle(sandbox)

    assert sandbox.state()["deliveries"] == []


def test_a_deleted_webhook_is_sent_nothing_more(sandbox: Sandbox, listener: Listener) -> None:
    listener.answers += [500] * 100
    sandbox.register(listener.url)
    _settle(sandbox)
    listener.take()

    sandbox.ask("DELETE", WEBHOOKS, json={"url": listener.url})

    _all_delivered(sandbox)
    assert sandbox.state()["deliveries"][0]["delivered"] is False


def test_dropped_webhooks_are_never_sent(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.register(listener.url)
    sandbox.set_faults(drop_webhooks=True)
    _settle(sandbox)
    sandbox.set_faults()
    deposit = _settle(sandbox)

    assert _ids([listener.take()]) == [deposit]
    assert sandbox.state()["counts"]["webhooks_dropped"] == 1


def test_duplicates_are_sent_as_often_as_told(sandbox: Sandbox, listener: Listener) -> None:
    secret = sandbox.register(listener.url)
    sandbox.set_faults(duplicate_webhooks=3)
    deposit = _settle(sandbox)

    received = [listener.take() for _ in range(4)]

    assert _ids(received) == [deposit] * 4
    assert all(_is_genuine(webhook, secret) for webhook in received)
    _all_delivered(sandbox)
    assert listener.is_empty()


def test_reordered_webhooks_come_in_swapped_pairs(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.register(listener.url)
    sandbox.set_faults(reorder_webhooks=True)
    intents = [sandbox.create() for _ in range(4)]
    deposits = [sandbox.pay(intent)["deposit"] for intent in intents]

    received = _ids([listener.take() for _ in range(4)])

    arrival = [received.index(deposit) for deposit in deposits]
    assert arrival[1] < arrival[0]
    assert arrival[3] < arrival[2]


def test_a_reordered_webhook_without_a_follower_is_not_lost(
    sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.register(listener.url)
    sandbox.set_faults(reorder_webhooks=True)

    deposit = _settle(sandbox)

    assert _ids([listener.take()]) == [deposit]


def test_webhooks_may_be_delayed(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.register(listener.url)
    sandbox.set_faults(delay_webhooks_ms={"value": 400, "endpoint": "POST /_sandbox/pay"})
    started = time.monotonic()
    _settle(sandbox)

    listener.take()

    assert time.monotonic() - started >= 0.4


def test_a_forged_webhook_comes_besides(sandbox: Sandbox, listener: Listener) -> None:
    secret = sandbox.register(listener.url)
    sandbox.set_faults(forge_webhooks=True)
    deposit = _settle(sandbox)

    received = [listener.take() for _ in range(2)]

    assert _ids(received) == [deposit] * 2
    assert [_is_genuine(webhook, secret) for webhook in received] == [False, True]


def test_webhook_faults_of_another_endpoint_change_nothing(
    sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.register(listener.url)
    withdraw = "POST /accounts/{account_id}/withdrawals"
    sandbox.set_faults(drop_webhooks={"value": True, "endpoint": withdraw})

    deposit = _settle(sandbox)

    assert _ids([listener.take()]) == [deposit]
