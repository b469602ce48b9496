"""Money that goes out, with its hold and its fee."""

from typing import Any

import pytest

from msty_invoice.domain.invoice import Network
from msty_invoice.lightning.bolt11 import Bolt11, encode
from tests.integration.sandbox.conftest import StartSandbox
from tests.integration.sandbox.processes import ACCOUNT, DEPOSITS, WITHDRAWALS, Sandbox, until

INVALID, MISSING = "INVALID_PARAMETER", "MISSING_REQUIRED_PARAMETER"


def _foreign(amount_msat: int | None = 2_500_000) -> str:
    """An invoice of some other node."""
    invoice = Bolt11(
        network=Network.REGTEST,
        amount_msat=amount_msat,
        timestamp=1_700_000_000,
        payment_hash="11" * 32,
        payment_secret="22" * 32,
        description="elsewhere",
    )
    return encode(invoice, b"\x07" * 32)


def _order(destination: str, amount: int = 2500, **details: Any) -> dict[str, Any]:
    details = {"network": "LN", "destination": destination, "fee_limit": 300} | details
    return {"amount": amount, "currency": "BTC", "withdrawal_details": details}


def test_a_withdrawal_is_pending_then_a_success(sandbox: Sandbox) -> None:
    withdrawal = sandbox.withdraw(_foreign())
    assert (withdrawal["state"], withdrawal["fee_paid"]) == ("PENDING", 0)

    finished = sandbox.finished(withdrawal)

    assert finished == withdrawal | {"state": "SUCCESS", "fee_paid": 3}
    assert sandbox.ask("GET", ACCOUNT)["balance"] == 1_500_000 - 2503


def test_a_pending_withdrawal_holds_amount_and_fee_limit(sandbox: Sandbox) -> None:
    def held() -> int:
        """Just after a withdrawal; 0 if it was slow enough to have finished already."""
        sandbox.withdraw(sandbox.create()["destination"])
        account = sandbox.ask("GET", ACCOUNT)
        return int(account["balance"] - account["available_balance"])

    assert until(held, lambda sats: sats != 0) == 2800


def test_a_hold_ends_with_its_withdrawal(sandbox: Sandbox) -> None:
    sandbox.finished(sandbox.withdraw(_foreign()))

    account = sandbox.ask("GET", ACCOUNT)
    assert account["balance"] == account["available_balance"]


def test_paying_an_own_invoice_settles_it(sandbox: Sandbox) -> None:
    intent = sandbox.create()
    sandbox.finished(sandbox.withdraw(intent["destination"]))

    (deposit,) = sandbox.ask("GET", DEPOSITS)["deposits"]

    assert deposit["deposit_intent"] == intent
    assert sandbox.ask("GET", ACCOUNT)["balance"] == 1_500_000 - 3


def test_an_invoice_paid_already_fails(sandbox: Sandbox) -> None:
    intent = sandbox.create()
    sandbox.pay(intent)

    finished = sandbox.finished(sandbox.withdraw(intent["destination"]))

    assert (finished["state"], finished["fee_paid"]) == ("FAIL", 0)
    assert sandbox.state()["counts"]["deposits"] == 1
    assert sandbox.ask("GET", ACCOUNT)["available_balance"] == 1_502_500


def test_routing_above_the_fee_limit_fails(sandbox: Sandbox) -> None:
    destination = _foreign()
    failed = sandbox.finished(sandbox.withdraw(destination, fee_limit=2))
    assert failed["state"] == "FAIL"

    again = sandbox.finished(sandbox.withdraw(destination, fee_limit=3))

    assert again["state"] == "SUCCESS"


def test_an_invoice_is_withdrawn_to_once(sandbox: Sandbox) -> None:
    destination = _foreign()
    sandbox.withdraw(destination)

    refused = sandbox.refused("POST", WITHDRAWALS, _order(destination.upper()))

    assert refused == (400, "RESOURCE_ALREADY_EXISTS", None)


def test_a_balance_too_low_is_an_account_error(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox("--balance", "2799")

    answer = sandbox.call("POST", WITHDRAWALS, json=_order(_foreign()))

    assert (answer.status_code, answer.json()["category"]) == (400, "ACCOUNT_ERROR")
    assert sandbox.withdraw(_foreign(), fee_limit=299)["state"] == "PENDING"


def test_millisatoshis_are_rounded_down(sandbox: Sandbox) -> None:
    assert sandbox.withdraw(_foreign(2_500_999), amount=2500)["amount"] == 2500


def test_an_invoice_without_amount_takes_any(sandbox: Sandbox) -> None:
    assert sandbox.withdraw(_foreign(None), amount=7)["amount"] == 7


@pytest.mark.parametrize(
    ("order", "code", "param"),
    [
        (_order(_foreign(), 2499), INVALID, "amount"),
        (_order(_foreign(), 0), INVALID, "amount"),
        (_order("lnbcrt1rubbish"), INVALID, "destination"),
        (_order(_foreign(), network="BTC"), INVALID, "network"),
        (_order(_foreign(), fee_limit=-1), INVALID, "fee_limit"),
        (_order(_foreign(), fee_limit=None), MISSING, "fee_limit"),
        (_order(_foreign()) | {"currency": "EUR"}, INVALID, "currency"),
        ({"amount": 1, "currency": "BTC"}, MISSING, "withdrawal_details"),
        (_order(_foreign()) | {"withdrawal_details": []}, INVALID, "withdrawal_details"),
    ],
)
def test_a_wrong_withdrawal_is_refused(
    untouched_sandbox: Sandbox, order: dict[str, Any], code: str, param: str
) -> None:
    assert untouched_sandbox.refused("POST", WITHDRAWALS, order) == (400, code, param)
    assert untouched_sandbox.state()["counts"]["withdrawals"] == 0
