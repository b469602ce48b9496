"""River's JSON, read into frozen values. Sats, aware UTC; fields not named here are ignored.

Field names and types: the Go client of River's API. States, networks and codes are open
strings, since River may add to them.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msty_invoice.lightning.river import assumptions

LIGHTNING = "LN"  # the `network` of everything that is not on-chain

_ALL_SATS = 21_000_000 * 10**8
_LONGEST_ID = 128
_LONGEST_WORD = 64
_LONGEST_EVENT_WORD = 40
_LONGEST_TEXT = 4096  # a BOLT11 of a 639-byte memo has about 1,300 characters


class UnreadableBody(Exception):
    """Not what River's API answers. The text names a field, never a value."""


@dataclass(frozen=True, slots=True)
class Intent:
    """Where a deposit will land: `destination` is a BOLT11 if `network` is `LN`."""

    id: str
    destination: str = field(repr=False)
    network: str
    created_at: datetime


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
        _id(raw), _text(raw, "type", _LONGEST_EVENT_WORD), _text(raw, "state", _LONGEST_EVENT_WORD)
    )


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises `UnreadableBody`."""
    try:
        value = json.loads(body.decode())
    except (ValueError, RecursionError):
        value = None
    # Raised out here, so that the parser's error, which holds the body, is not chained.
    if not isinstance(value, dict):
        raise UnreadableBody("the body is not a JSON object")
    return value


def intent(raw: dict[str, Any]) -> Intent:
    return Intent(
        id=_id(raw),
        destination=_text(raw, "destination", _LONGEST_TEXT),
        network=_text(raw, "network", _LONGEST_WORD),
        created_at=_instant(raw),
    )


def deposit(raw: dict[str, Any]) -> Deposit:
    details = _object(raw, "deposit_details")
    return Deposit(
        id=_id(raw),
        intent=intent(_object(raw, "deposit_intent")),
        amount_sats=_sats(raw, "amount"),
        network=_text(details, "network", _LONGEST_WORD),
        proof=_optional_text(details, "proof", _LONGEST_TEXT),
        state=_text(raw, "state", _LONGEST_WORD),
        deposited_at=_instant(raw),
    )


def deposit_page(raw: dict[str, Any]) -> DepositPage:
    deposits = raw.get("deposits")
    if not isinstance(deposits, list) or not all(isinstance(one, dict) for one in deposits):
        raise UnreadableBody("deposits is not a list of objects")
    following = raw.get("next_timestamp")
    if following is not None:
        following = _whole(raw, "next_timestamp")
    return DepositPage(tuple(map(deposit, deposits)), assumptions.next_page(following))


def account(raw: dict[str, Any]) -> Account:
    return Account(
        id=_id(raw),
        balance_sats=_sats(raw, "balance"),
        available_sats=_sats(raw, "available_balance"),
    )


def webhook(raw: dict[str, Any]) -> Webhook:
    secret = _optional_text(raw, "secret", _LONGEST_TEXT)
    if secret is not None and not re.fullmatch(r"(?:[0-9a-fA-F]{2})+", secret):
        raise UnreadableBody("secret is not hex")
    if not isinstance(raw.get("enabled"), bool):
        raise UnreadableBody("enabled is not a boolean")
    return Webhook(_text(raw, "url", _LONGEST_TEXT), secret, raw["enabled"])


def _object(raw: dict[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    if not isinstance(value, dict):
        raise UnreadableBody(f"{name} is not an object")
    return value


def _id(raw: dict[str, Any]) -> str:
    return _text(raw, "id", _LONGEST_ID)


def _text(raw: dict[str, Any], name: str, longest: int) -> str:
    value = raw.get(name)
    # Not printable are also lone surrogates and NUL, which no database takes.
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise UnreadableBody(f"{name} is not a text of 1 to {longest} characters")
    return value


def _optional_text(raw: dict[str, Any], name: str, longest: int) -> str | None:
    return _text(raw, name, longest) if raw.get(name) else None


def _whole(raw: dict[str, Any], name: str) -> int:
    value = raw.get(name)
    if type(value) is not int:  # a bool is an int to isinstance
        raise UnreadableBody(f"{name} is not an integer")
    return value


def _sats(raw: dict[str, Any], name: str) -> int:
    value = _whole(raw, name)
    if not 0 <= value <= _ALL_SATS:
        raise UnreadableBody(f"{name} is more than there is, or less than nothing")
    return value


def _instant(raw: dict[str, Any]) -> datetime:
    try:
        return assumptions.instant(_whole(raw, "timestamp"))
    except ValueError as exc:
        raise UnreadableBody("timestamp is in no known unit") from exc
