"""Money that comes in: deposit intents, deposits, and the wallet that pays them."""

import os
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from msty_invoice.sandbox.faults import Faults
from msty_invoice.sandbox.ledger import Ledger
from msty_invoice.sandbox.outbox import Outbox
from msty_invoice.sandbox.paging import page, read_span
from msty_invoice.sandbox.records import BTC, LN, PENDING, SUCCESS, Deposit, Intent
from msty_invoice.sandbox.signing import Mint
from msty_invoice.sandbox.wire import Answer, Call, invalid, not_found, text, whole

MOST_SATS = 2_100_000_000_000_000  # all there will ever be
_MOST_LABEL_BYTES = 639  # what a BOLT11 `d` field can hold


class Receiving:
    """River's deposit_intents and deposits."""

    def __init__(
        self, ledger: Ledger, mint: Mint, faults: Faults, outbox: Outbox, now_ms: Callable[[], int]
    ) -> None:
        self._ledger = ledger
        self._mint = mint
        self._faults = faults
        self._outbox = outbox
        self._now_ms = now_ms

    def create_intent(self, call: Call) -> Answer:
        body = call.body()
        network = text(body, "network")
        if network not in (LN, BTC):
            raise invalid("network")
        intent = self._invoice(call, body) if network == LN else self._address(body)
        self._ledger.add_intent(intent)
        return Answer(200, intent.on_wire())

    def intent(self, call: Call) -> Answer:
        intent = self._ledger.intents.find(call.ident)
        if intent is None:
            raise not_found()
        return Answer(200, intent.on_wire())

    def intents(self, call: Call) -> Answer:
        span = read_span(call.query)
        return page("deposit_intents", self._ledger.intents, span, Intent.on_wire)

    def deposit(self, call: Call) -> Answer:
        deposit = self._ledger.deposits.find(call.ident)
        if deposit is None:
            raise not_found()
        return Answer(200, self._on_wire(deposit, call.endpoint))

    def deposits(self, call: Call) -> Answer:
        now_ms = self._now_ms()
        span = read_span(call.query).rounded(self._faults.timestamp_granularity_ms)
        return page(
            "deposits",
            self._ledger.deposits,
            span,
            lambda deposit: self._on_wire(deposit, call.endpoint),
            lambda deposit: deposit.listed_from_ms <= now_ms,
        )

    def receive(self, intent: Intent, amount_sats: int, endpoint: str) -> Deposit:
        """Record that an intent was paid, and announce it. `endpoint` is what set it off."""
        now_ms = self._now_ms()
        dated = now_ms + (self._faults.value("deposit_timestamp_offset_ms", endpoint) or 0)
        delay_s = self._faults.value("list_delay_s", endpoint) or 0
        deposit = Deposit(
            id=f"dep_{os.urandom(12).hex()}",
            intent_id=intent.id,
            amount_sats=amount_sats,
            timestamp=self._ledger.deposits.free_timestamp(dated),
            proof=intent.preimage or os.urandom(32).hex(),
            listed_from_ms=now_ms + round(delay_s * 1000),
        )
        self._ledger.add_deposit(deposit)
        self._outbox.announce("DEPOSIT", deposit.id, SUCCESS, endpoint)
        return deposit

    def _invoice(self, call: Call, body: dict[str, Any]) -> Intent:
        amount_sats = whole(body, "amount", 1, MOST_SATS)
        label, now_ms = _label(body), self._now_ms()
        expiry_s = self._faults.value("expiry_seconds", call.endpoint)
        flaw = self._faults.value("corrupt_invoice", call.endpoint)
        minted = self._mint.invoice(amount_sats, label, now_ms // 1000, expiry_s, flaw)
        return Intent(
            id=_intent_id(),
            network=LN,
            destination=minted.payment_request,
            timestamp=self._ledger.intents.free_timestamp(now_ms),
            amount_sats=amount_sats,
            label=label,
            payment_hash=minted.payment_hash,
            preimage=minted.preimage,
            expires_at_ms=minted.expires_at * 1000,
        )

    def _address(self, body: dict[str, Any]) -> Intent:
        # Whether River wants an amount for an address is not documented: it is not needed.
        asked = body.get("amount") is not None
        return Intent(
            id=_intent_id(),
            network=BTC,
            destination=self._mint.address(),
            timestamp=self._ledger.intents.free_timestamp(self._now_ms()),
            amount_sats=whole(body, "amount", 1, MOST_SATS) if asked else None,
            label=_label(body),
        )

    def _on_wire(self, deposit: Deposit, endpoint: str) -> dict[str, Any]:
        intent = self._ledger.intents.get(deposit.intent_id)
        delta = self._faults.value("amount_delta", endpoint) or 0
        pending = self._faults.value("pending_deposits", endpoint)
        granularity_ms = self._faults.timestamp_granularity_ms
        proof = _proof(deposit, intent, self._faults.value("proof", endpoint))
        return {
            "id": deposit.id,
            "amount": deposit.amount_sats + delta,
            "state": PENDING if pending else SUCCESS,
            "timestamp": deposit.timestamp - deposit.timestamp % granularity_ms,
            "deposit_intent": intent.on_wire(),
            "deposit_details": {"network": intent.network, **proof},
        }


def _intent_id() -> str:
    return f"di_{os.urandom(12).hex()}"


def _label(body: dict[str, Any]) -> str:
    label = body.get("label") or ""
    if not isinstance(label, str):
        raise invalid("label")
    try:
        fits = len(label.encode()) <= _MOST_LABEL_BYTES
    except UnicodeEncodeError as exc:  # a lone surrogate
        raise invalid("label") from exc
    if not fits:
        raise invalid("label")
    return label


def _proof(deposit: Deposit, intent: Intent, fault: str | None) -> dict[str, str]:
    """A `random` proof is the same each time it is asked for."""
    proofs = {
        "absent": {},
        "hash": {"proof": intent.payment_hash},
        "random": {"proof": sha256(deposit.id.encode()).hexdigest()},
    }
    return proofs.get(fault or "", {"proof": deposit.proof})
