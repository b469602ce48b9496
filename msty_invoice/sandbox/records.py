"""What the sandbox remembers, and how each thing looks on River's wire.

Amounts are sats, timestamps milliseconds since 1970 UTC. Field names on the wire
are those of River's deposit intents, deposits and withdrawals.
"""

from dataclasses import dataclass
from typing import Any

PENDING, SUCCESS, FAIL = "PENDING", "SUCCESS", "FAIL"
LN, BTC = "LN", "BTC"


@dataclass(frozen=True)
class Intent:
    """Where a deposit will land: a BOLT11 invoice, or an on-chain address.

    `amount_sats` is what was asked for, None if nothing was (on-chain only).
    `payment_hash`, `preimage` and `expires_at_ms` are empty for an address.
    """

    id: str
    network: str
    destination: str
    timestamp: int
    amount_sats: int | None
    label: str
    payment_hash: str = ""
    preimage: str = ""
    expires_at_ms: int = 0

    def on_wire(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "destination": self.destination,
            "network": self.network,
            "timestamp": self.timestamp,
        }


@dataclass(frozen=True)
class Deposit:
    """Money that arrived. `proof` is the preimage, or the txid on-chain, as 64 hex digits."""

    id: str
    intent_id: str
    amount_sats: int
    timestamp: int
    proof: str
    listed_from_ms: int


@dataclass(frozen=True)
class Withdrawal:
    """Money sent. The hold is `amount_sats + fee_limit_sats` while PENDING."""

    id: str
    amount_sats: int
    destination: str
    fee_limit_sats: int
    timestamp: int
    state: str = PENDING
    fee_paid_sats: int = 0

    def on_wire(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "amount": self.amount_sats,
            "currency": "BTC",
            "state": self.state,
            "withdrawal_details": {
                "network": LN,
                "destination": self.destination,
                "fee_limit": self.fee_limit_sats,
            },
            "fee_paid": self.fee_paid_sats,
            "timestamp": self.timestamp,
        }


@dataclass(frozen=True)
class Webhook:
    """The account's one webhook. `secret` is hex, shown only on registration."""

    url: str
    secret: str


@dataclass(frozen=True)
class Delivery:
    """One webhook to be sent until it is answered 2xx. `number` counts from 1."""

    number: int
    type: str
    object_id: str
    state: str

    def on_wire(self) -> dict[str, str]:
        return {"id": self.object_id, "type": self.type, "state": self.state}
