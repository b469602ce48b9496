"""LNbits' JSON, read into frozen values; fields not named here are ignored.

Requests are in sats and every amount in an answer is in msat. Field names, states and forms:
LNbits 1.6.2, as observed.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from msty_invoice.lightning.json_body import (
    UnreadableBody,
    read_optional_text,
    read_text,
    read_whole,
)
from msty_invoice.lightning.records import Unread, read_each, text_if_any

PENDING, SUCCESS, FAILED = "pending", "success", "failed"

_ALL_MSAT = 21_000_000 * 10**11
_LONGEST_HASH = 128
_LONGEST_WORD = 64
_LONGEST_BOLT11 = 8192  # BOLT11s of wallets end at 7089 characters
_LONGEST_NAME = 1024


@dataclass(frozen=True, slots=True)
class Created:
    """A new invoice. Its preimage is in the answer already, and is not even read here."""

    payment_hash: str
    payment_request: str = field(repr=False)
    status: str


@dataclass(frozen=True, slots=True)
class Payment:
    """A row of a wallet: incoming if `amount_msat` is more than 0, and arrived if `SUCCESS`.

    `preimage` is None until then: LNbits tells it long before, when it proves nothing.
    """

    payment_hash: str
    amount_msat: int
    status: str
    updated_at: datetime
    payment_request: str | None = field(repr=False)
    preimage: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """`answered_at` is LNbits' clock when it answered, to the second, if it said."""

    payments: tuple[Payment, ...]
    answered_at: datetime | None = None
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Wallet:
    """`by_admin_key` if the key that asked may also pay."""

    balance_msat: int
    by_admin_key: bool


def created(raw: dict[str, Any]) -> Created:
    return Created(
        payment_hash=read_text(raw, "payment_hash", _LONGEST_HASH),
        payment_request=read_text(raw, "bolt11", _LONGEST_BOLT11),
        status=read_text(raw, "status", _LONGEST_WORD),
    )


def payment(raw: dict[str, Any]) -> Payment:
    status = read_text(raw, "status", _LONGEST_WORD)
    return Payment(
        payment_hash=read_text(raw, "payment_hash", _LONGEST_HASH),
        amount_msat=_msat(raw, "amount"),
        status=status,
        updated_at=_instant(raw, "updated_at"),
        payment_request=read_optional_text(raw, "bolt11", _LONGEST_BOLT11),
        preimage=read_optional_text(raw, "preimage", _LONGEST_HASH) if status == SUCCESS else None,
    )


def payment_page(raw: dict[str, Any]) -> PaymentPage:
    rows = raw.get("data")
    if not isinstance(rows, list):
        raise UnreadableBody("data is not a list")
    payments, unread = read_each(rows, payment, _unread)
    return PaymentPage(payments, unread=unread)


def wallet(raw: dict[str, Any]) -> Wallet:
    read_text(raw, "name", _LONGEST_NAME)  # any JSON may have a balance; a wallet has a name
    return Wallet(_msat(raw, "balance"), by_admin_key="id" in raw)


def _unread(raw: dict[str, Any]) -> Unread:
    payment_hash = text_if_any(raw, "payment_hash", _LONGEST_HASH)
    return Unread(payment_hash, payment_hash)


def _msat(raw: dict[str, Any], name: str) -> int:
    value = read_whole(raw, name)
    if abs(value) > _ALL_MSAT:
        raise UnreadableBody(f"{name} is more than there is")
    return value


def _instant(raw: dict[str, Any], name: str) -> datetime:
    """ISO 8601. Some answers leave the zone out, and LNbits reckons in UTC."""
    try:
        instant = datetime.fromisoformat(read_text(raw, name, _LONGEST_WORD))
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise UnreadableBody(f"{name} is not an instant") from exc
