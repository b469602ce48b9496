"""What an invoice is. Amounts are integer satoshis, instants are aware UTC."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Network(StrEnum):
    """The Bitcoin network an invoice can be paid on."""

    MAINNET = "mainnet"
    TESTNET = "testnet"
    SIGNET = "signet"
    REGTEST = "regtest"


class InvoiceStatus(StrEnum):
    """pending → settled, pending → expired, expired → settled; nothing else, ever."""

    PENDING = "pending"
    SETTLED = "settled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class InvoiceOrder:
    """What a client asks for: whole satoshis, and words for the payer.

    `id` is what the invoice will be called here, for providers that take a name from us.
    """

    amount_sats: int
    memo: str | None = None
    id: UUID | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class IssuedInvoice:
    """What a provider made of an order, read from the BOLT11 itself and checked against it."""

    provider: str
    provider_ref: str
    payment_request: str
    payment_hash: str
    amount_sats: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as recorded: everything a client may have been shown, and what came of it."""

    id: UUID
    key_family: UUID
    provider: str
    provider_ref: str
    payment_request: str
    payment_hash: str
    amount_sats: int
    memo: str | None
    status: InvoiceStatus
    issued_at: datetime  # by the provider's clock; no deposit is older
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    settled_at: datetime | None = None
    amount_received_sats: int | None = None
    preimage: str | None = field(default=None, repr=False)

    @property
    def late(self) -> bool:
        """Paid after it expired, both by the provider's clock (design §4.3)."""
        return self.settled_at is not None and self.settled_at > self.expires_at
