"""`POST /_sandbox/pay` is the payer's wallet, `GET /_sandbox/state` tells what there is."""

import time
from hashlib import sha256
from typing import Any

import pytest

from msty_invoice.lightning.bolt11 import decode
from tests.integration.sandbox.processes import ACCOUNT, CREATE, DEPOSITS, Sandbox, until

PAY = "/_sandbox/pay"


def test_paying_gives_the_preimage_and_a_deposit(sandbox: Sandbox) -> None:
    intent = sandbox.create()

    preimage = sandbox.pay(intent)["preimage"]

    digest = sha256(bytes.fromhex(preimage)).hexdigest()
    assert digest == decode(intent["destination"]).payment_hash
    (deposit,) = sandbox.ask("GET", DEPOSITS)["deposits"]
    assert deposit["deposit_intent"] == intent
    assert deposit["deposit_details"] == {"network": "LN", "proof": preimage}
    assert (deposit["amount"], deposit["state"]) == (2500, "SUCCESS")


def test_a_payment_raises_the_balance(sandbox: Sandbox) -> None:
    sandbox.pay(sandbox.create(40))

    account = sandbox.ask("GET", ACCOUNT)
    assert (account["balance"], account["available_balance"]) == (1_500_040, 1_500_040)


def test_upper_case_is_the_same_invoice(sandbox: Sandbox) -> None:
    intent = sandbox.create()

    assert sandbox.pay({"destination": intent["destination"].upper()})["preimage"]


@pytest.mark.parametrize("amount", [1, 5000])
def test_a_payer_may_send_less_or_more(sandbox: Sandbox, amount: int) -> None:
    sandbox.pay(sandbox.create(), amount=amount)

    assert sandbox.ask("GET", DEPOSITS)["deposits"][0]["amount"] == amount


def test_an_unknown_invoice_cannot_be_paid(sandbox: Sandbox) -> None:
    answer = sandbox.call("POST", PAY, json={"payment_request": "lnbcrt1"})

    assert (answer.status_code, list(answer.json())) == (404, ["error"])


def test_an_invoice_is_paid_once(sandbox: Sandbox) -> None:
    intent = sandbox.create()
    sandbox.pay(intent)

    answer = sandbox.call("POST", PAY, json={"payment_request": intent["destination"]})

    assert answer.status_code == 409
    assert sandbox.state()["counts"]["deposits"] == 1


def test_an_expired_invoice_is_paid_only_if_told_so(sandbox: Sandbox) -> None:
    sandbox.set_faults(expiry_seconds=1)
    body = {"payment_request": sandbox.create()["destination"]}
    until(sandbox.state, _has_expired)

    assert sandbox.call("POST", PAY, json=body).status_code == 410
    assert sandbox.call("POST", PAY, json=body | {"late": 1}).status_code == 410
    assert sandbox.call("POST", PAY, json=body | {"late": True}).status_code == 200


def _has_expired(state: Any) -> bool:
    return bool(state["intents"][0]["expires_at_ms"] < time.time() * 1000)


def test_an_address_is_paid_as_often_as_one_likes(sandbox: Sandbox) -> None:
    intent = sandbox.create(network="BTC")
    for amount in (1000, 2000):
        sandbox.pay(intent, amount=amount)

    deposits = sandbox.ask("GET", DEPOSITS)["deposits"]
    assert [deposit["amount"] for deposit in deposits] == [2000, 1000]
    assert {deposit["deposit_details"]["network"] for deposit in deposits} == {"BTC"}
    assert len({deposit["deposit_details"]["proof"] for deposit in deposits}) == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"payment_request": 7}'])
def test_a_senseless_payment_is_refused(sandbox: Sandbox, body: bytes) -> None:
    answer = sandbox.call("POST", PAY, data=body)

    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_the_state_counts_requests_and_hides_secrets(sandbox: Sandbox) -> None:
    secret = sandbox.register("http://127.0.0.1:9/")
    intent = sandbox.create()
    sandbox.call("GET", "/nothing")

    state = sandbox.state()

    assert state["requests"][CREATE] == 1
    assert state["requests"]["unknown"] == 1
    assert state["webhook"] == {"url": "http://127.0.0.1:9/", "enabled": True}
    assert state["intents"][0]["id"] == intent["id"]
    assert state["intents"][0]["paid"] is False
    assert secret not in str(state)


def test_the_control_surface_names_itself(sandbox: Sandbox) -> None:
    answer = sandbox.call("GET", "/_sandbox/nothing")

    assert answer.status_code == 404
    assert "PUT /_sandbox/faults" in answer.json()["error"]
