"""River's JSON, read into frozen values. Sats, aware UTC; fields not named here are ignored.

Field names and types: the Go client of River's API. States, networks and codes are open
strings, since River may add to them.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msty_invoice.lightning.json_body import (
    UnreadableBody,
    json_object,
    read_object,
    read_optional_text,
    read_text,
    read_whole,
)
from msty_invoice.lightning.records import Unread, read_each, text_if_any
from msty_invoice.lightning.river import assumptions

__all__ = ["UnreadableBody", "json_object"]

LIGHTNING = "LN"  # the `network` of everything that is not on-chain

_ALL_SATS = 21_000_000 * 10**8
_LONGEST_ID = 128
_LONGEST_WORD = 64
_LONGEST_EVENT_WORD = 40
_LONGEST_PROOF = 1024  # more is cut off; a preimage has 64
_LONGEST_TEXT = 4096  # a BOLT11 of a 639-byte memo has about 1,300 characters


@dataclass(frozen=True, slots=True)
class Intent:
    """Where a deposit will land: `destination` is a BOLT11 if `network` is `LN`."""

    id: str
    destination: str = field(repr=False)
    network: str


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money received for an intent. Only in state `SUCCESS` has it arrived."""

    id: str
    intent: Intent
    amount_sats: int
    network: str
    proof: str | None = field(repr=False)
    state: str
    deposited_at: datetime

    def proves(self, payment_hash: str) -> bool:
        """Whether `proof` is the preimage of `payment_hash`."""
        return assumptions.proves(self.proof, payment_hash)


@dataclass(frozen=True, slots=True)
class DepositPage:
    """Newest first. `next_timestamp` is to be sent back as it came; None ends the list.

    `answered_at` is River's clock when it answered, to the second, if it said.
    """

    deposits: tuple[Deposit, ...]
    next_timestamp: int | None
    answered_at: datetime | None = None
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """`available_sats` leaves out what payments under way hold."""

    id: str
    balance_sats: int
    available_sats: int


@dataclass(frozen=True, slots=True)
class Webhook:
    """The one webhook of an account. `secret` is hex, and told only on registration."""

    url: str
    secret: str | None = field(repr=False)
    enabled: bool


@dataclass(frozen=True, slots=True)
class Event:
    """What a webhook says: which object, of which `type`, is in which `state`. No amount."""

    id: str
    type: str
    state: str


def webhook_event(raw: dict[str, Any]) -> Event:
    return Event(
        _id(raw),
        read_text(raw, "type", _LONGEST_EVENT_WORD),
        read_text(raw, "state", _LONGEST_EVENT_WORD),
    )


def intent(raw: dict[str, Any]) -> Intent:
    return Intent(
        id=_id(raw),
        destination=read_text(raw, "destination", _LONGEST_TEXT),
        network=read_text(raw, "network", _LONGEST_WORD),
    )


def deposit(raw: dict[str, Any]) -> Deposit:
    details = read_object(raw, "deposit_details")
    return Deposit(
        id=_id(raw),
        intent=intent(read_object(raw, "deposit_intent")),
        amount_sats=_sats(raw, "amount"),
        network=read_text(details, "network", _LONGEST_WORD),
        proof=_proof(details),
        state=read_text(raw, "state", _LONGEST_WORD),
        deposited_at=_instant(raw),
    )


def deposit_page(raw: dict[str, Any]) -> DepositPage:
    rows = raw.get("deposits")
    if not isinstance(rows, list):
        raise UnreadableBody("deposits is not a list")
    following = raw.get("next_timestamp")
    if following is not None:
        following = read_whole(raw, "next_timestamp")
    deposits, unread = read_each(rows, deposit, _unread)
    return DepositPage(deposits, assumptions.next_page(following), unread=unread)


def account(raw: dict[str, Any]) -> Account:
    return Account(
        id=_id(raw),
        balance_sats=_sats(raw, "balance"),
        available_sats=_sats(raw, "available_balance"),
    )


def webhook(raw: dict[str, Any]) -> Webhook:
    secret = read_optional_text(raw, "secret", _LONGEST_TEXT)
    if secret is not None and not re.fullmatch(r"(?:[0-9a-fA-F]{2})+", secret):
        raise UnreadableBody("secret is not hex")
    if not isinstance(raw.get("enabled"), bool):
        raise UnreadableBody("enabled is not a boolean")
    return Webhook(read_text(raw, "url", _LONGEST_TEXT), secret, raw["enabled"])


def _proof(details: dict[str, Any]) -> str | None:
    """Evidence, so of any form: a deposit we do not understand must not hide the whole list."""
    proof = details.get("proof")
    if not proof:
        return None
    plain = isinstance(proof, str) and proof.isascii() and proof.isprintable()
    return (proof if plain else json.dumps(proof))[:_LONGEST_PROOF]


def _unread(raw: dict[str, Any]) -> Unread:
    of = raw.get("deposit_intent")
    intent_id = text_if_any(of, "id", _LONGEST_ID) if isinstance(of, dict) else ""
    return Unread(text_if_any(raw, "id", _LONGEST_ID), intent_id)


def _id(raw: dict[str, Any]) -> str:
    return read_text(raw, "id", _LONGEST_ID)


def _sats(raw: dict[str, Any], name: str) -> int:
    value = read_whole(raw, name)
    if not 0 <= value <= _ALL_SATS:
        raise UnreadableBody(f"{name} is more than there is, or less than nothing")
    return value


def _instant(raw: dict[str, Any]) -> datetime:
    try:
        return assumptions.instant(read_whole(raw, "timestamp"))
    except ValueError as exc:
        raise UnreadableBody("timestamp is in no known unit") from exc
