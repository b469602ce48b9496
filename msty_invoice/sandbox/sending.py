"""Money that goes out: withdrawals, and the two questions about a BOLT11.

Guesses, since River documents none of it: a withdrawal beyond the available balance
is 400 ACCOUNT_ERROR (its code is ours); a BOLT11 can be withdrawn to once, unless that
failed; routing costs a thousandth, rounded up, and FAILs when that is over fee_limit;
invoices of other nodes are paid by nobody, successfully.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from msty_invoice.lightning.bolt11 import Bolt11, Bolt11Error, decode
from msty_invoice.sandbox.ledger import Ledger
from msty_invoice.sandbox.outbox import Outbox
from msty_invoice.sandbox.paging import page, read_span
from msty_invoice.sandbox.receiving import MOST_SATS, Receiving
from msty_invoice.sandbox.records import FAIL, LN, PENDING, SUCCESS, Withdrawal
from msty_invoice.sandbox.wire import (
    Answer,
    Call,
    WireError,
    already_exists,
    invalid,
    missing,
    not_found,
    text,
    whole,
)

_PENDING_SECONDS = 0.05
_MSAT_PER_SAT = 1000

Later = Callable[[float, Callable[[], None]], object]


class Sending:
    """River's withdrawals, parse_invoice and estimate_fee."""

    def __init__(
        self,
        ledger: Ledger,
        receiving: Receiving,
        outbox: Outbox,
        now_ms: Callable[[], int],
        later: Later,
    ) -> None:
        self._ledger = ledger
        self._receiving = receiving
        self._outbox = outbox
        self._now_ms = now_ms
        self._later = later

    def resume(self) -> None:
        """Finish what was PENDING when the last process ended."""
        for withdrawal in list(self._ledger.withdrawals.newest_first()):
            if withdrawal.state == PENDING:
                self._finish(withdrawal, "")

    def withdraw(self, call: Call) -> Answer:
        withdrawal = self._ordered(call.body())
        if withdrawal.amount_sats + withdrawal.fee_limit_sats > self._ledger.available_sats:
            raise WireError(400, "ACCOUNT_ERROR", "INSUFFICIENT_BALANCE")
        self._ledger.put_withdrawal(withdrawal)
        self._later(_PENDING_SECONDS, lambda: self._finish(withdrawal, call.endpoint))
        return Answer(200, withdrawal.on_wire())

    def withdrawal(self, call: Call) -> Answer:
        withdrawal = self._ledger.withdrawals.find(call.ident)
        if withdrawal is None:
            raise not_found()
        return Answer(200, withdrawal.on_wire())

    def withdrawals(self, call: Call) -> Answer:
        span = read_span(call.query)
        return page("withdrawals", self._ledger.withdrawals, span, Withdrawal.on_wire)

    def parse_invoice(self, call: Call) -> Answer:
        body = call.body()
        invoice = _invoice(body)
        document = {
            "amount": (invoice.amount_msat or 0) // _MSAT_PER_SAT,
            "memo": invoice.description or "",
            "node_id": invoice.payee,
            "destination": body["destination"],
        }
        return Answer(200, document)

    def estimate_fee(self, call: Call) -> Answer:
        body = call.body()
        _invoice(body)
        amount_sats = whole(body, "amount", 1, MOST_SATS)
        document = {
            "amount": amount_sats,
            "destination": body["destination"],
            "fee": _fee(amount_sats),
        }
        return Answer(200, document)

    def _ordered(self, body: dict[str, Any]) -> Withdrawal:
        amount_sats = whole(body, "amount", 1, MOST_SATS)
        if text(body, "currency") != "BTC":
            raise invalid("currency")
        details = _details(body)
        if text(details, "network") != LN:
            raise invalid("network")
        invoice = _invoice(details)
        if invoice.amount_msat not in (None, 0) and invoice.amount_msat // 1000 != amount_sats:
            raise invalid("amount")
        destination = details["destination"].lower()
        earlier = self._ledger.find_withdrawal(destination)
        if earlier and earlier.state != FAIL:
            raise already_exists()
        return Withdrawal(
            id=f"wd_{os.urandom(12).hex()}",
            amount_sats=amount_sats,
            destination=destination,
            fee_limit_sats=whole(details, "fee_limit", 0, MOST_SATS),
            timestamp=self._ledger.withdrawals.free_timestamp(self._now_ms()),
        )

    def _finish(self, withdrawal: Withdrawal, endpoint: str) -> None:
        fee_sats = _fee(withdrawal.amount_sats)
        intent = self._ledger.find_intent(withdrawal.destination)
        payable = intent is None or (
            not self._ledger.is_paid(intent) and self._now_ms() < intent.expires_at_ms
        )
        if fee_sats > withdrawal.fee_limit_sats or not payable:
            state, fee_sats = FAIL, 0
        else:
            state = SUCCESS
        self._ledger.put_withdrawal(replace(withdrawal, state=state, fee_paid_sats=fee_sats))
        self._outbox.announce("WITHDRAWAL", withdrawal.id, state, endpoint)
        if intent and state == SUCCESS:
            self._receiving.receive(intent, withdrawal.amount_sats, endpoint)


def _details(body: dict[str, Any]) -> dict[str, Any]:
    if (details := body.get("withdrawal_details")) is None:
        raise missing("withdrawal_details")
    if not isinstance(details, dict):
        raise invalid("withdrawal_details")
    return details


def _invoice(body: dict[str, Any]) -> Bolt11:
    try:
        return decode(text(body, "destination"))
    except Bolt11Error as exc:
        raise invalid("destination") from exc


def _fee(amount_sats: int) -> int:
    return -(-amount_sats // 1000)
