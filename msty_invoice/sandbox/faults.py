"""The ways the sandbox can be told to misbehave, and which are in force."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from msty_invoice.sandbox.endpoints import ENDPOINTS


class UnknownFault(Exception):
    """The set of faults asked for makes no sense. The text is a sentence that says why."""


@dataclass(frozen=True)
class Kind:
    """What a fault's value may be, and what it does."""

    accepts: Callable[[Any], bool]
    form: str
    effect: str
    # Not about one request: it cannot be limited to an endpoint.
    everywhere: bool = False


def _flag(effect: str) -> Kind:
    return Kind(lambda value: isinstance(value, bool), "true or false", effect)


def _whole(effect: str, low: int, high: int = 10**12) -> Kind:
    def accepts(value: Any) -> bool:
        return type(value) is int and low <= value <= high

    return Kind(accepts, f"a whole number from {low} to {high}", effect)


def _everywhere(kind: Kind) -> Kind:
    return replace(kind, everywhere=True)


def _fraction(effect: str) -> Kind:
    def accepts(value: Any) -> bool:
        return type(value) in (int, float) and 0 <= value <= 1

    return Kind(accepts, "a number from 0 to 1", effect)


def _one_of(effect: str, *choices: str) -> Kind:
    return Kind(lambda value: value in choices, f"one of {', '.join(choices)}", effect)


def _seconds(effect: str) -> Kind:
    def accepts(value: Any) -> bool:
        return type(value) in (int, float) and 0 <= value <= 10**6

    return Kind(accepts, "a number of seconds", effect)


_MOST_DEPOSIT_SATS = 10**12
_LONGEST_MS = 10**11  # three years

KINDS: dict[str, Kind] = {
    "latency_ms": _whole("does the work at once and answers that much later", 0, 3_600_000),
    "error_rate": _fraction("answers 500 API_ERROR to this share of requests, doing nothing"),
    "status": _whole("answers this status with a River error object, doing nothing", 400, 599),
    "refuse": _flag("answers 400 INVALID_PARAMETER, doing nothing"),
    "rubbish": _flag("answers 200 with a body that is not JSON, doing nothing"),
    "redirect": Kind(
        lambda value: isinstance(value, str),
        "an address, or an empty text for a 302 without Location",
        "answers 302, doing nothing",
    ),
    "hang": _flag("never answers and does nothing"),
    "drip": _one_of("sends one byte of it after another, for ever", "header", "body"),
    "close_after_commit": _flag("does the work, then closes the connection without a byte"),
    "corrupt_invoice": _one_of(
        "signs an invoice that is not what was asked",
        "amount",
        "second_hash",
        "network",
        "no_amount",
    ),
    "expiry_seconds": _whole("new invoices expire that much after they are made", 1, 10**9),
    "amount_delta": _whole(
        "deposits report that many sats more", -_MOST_DEPOSIT_SATS, _MOST_DEPOSIT_SATS
    ),
    "deposit_timestamp_offset_ms": _whole("new deposits are dated that much later", -(10**12)),
    "list_error_rate": _fraction("answers 500 API_ERROR to this share of list requests"),
    "list_delay_s": _seconds("new deposits appear in lists only that much later"),
    "pending_deposits": _flag("deposits report PENDING as their state"),
    "proof": _one_of("what deposits report as proof", "preimage", "absent", "random", "hash"),
    "drop_webhooks": _flag("sends no webhook"),
    "duplicate_webhooks": _whole("sends each webhook that many times more", 0, 10_000),
    "reorder_webhooks": _flag("sends every second webhook before the one it follows"),
    "delay_webhooks_ms": _whole("sends webhooks that much later", 0, 3_600_000),
    "forge_webhooks": _flag("sends a wrongly signed copy ahead of each webhook"),
    "clock_offset_ms": _everywhere(
        _whole("lets its clock go ahead, or behind if negative", -_LONGEST_MS, _LONGEST_MS)
    ),
    "timestamp_granularity_ms": _everywhere(
        _whole("rounds the timestamps of deposits down, so that some share one", 1, _LONGEST_MS)
    ),
}


@dataclass(frozen=True)
class Fault:
    """One fault in force. `endpoint` limits it to requests of one endpoint, None to none."""

    value: Any
    endpoint: str | None


@dataclass
class Faults:
    """The faults in force."""

    in_force: dict[str, Fault] = field(default_factory=dict)
    as_given: dict[str, Any] = field(default_factory=dict)

    def replace(self, document: object) -> None:
        """Put exactly these in force. Raises `UnknownFault`, changing nothing."""
        if not isinstance(document, dict):
            raise UnknownFault("Faults are a JSON object, such as {} for none.")
        if unknown := sorted(document.keys() - KINDS.keys()):
            raise UnknownFault(f"There is no fault named {', '.join(unknown)}.")
        self.in_force = {name: _fault(name, value) for name, value in document.items()}
        self.as_given = document

    def value(self, name: str, endpoint: str) -> Any:
        """The fault's value for requests to this endpoint; None when it is not in force."""
        fault = self.in_force.get(name)
        if fault is None or fault.endpoint not in (None, endpoint):
            return None
        return fault.value

    @property
    def clock_offset_ms(self) -> int:
        """How far the sandbox's clock is ahead."""
        return self._everywhere("clock_offset_ms", 0)

    @property
    def timestamp_granularity_ms(self) -> int:
        """What timestamps of deposits are multiples of."""
        return self._everywhere("timestamp_granularity_ms", 1)

    def _everywhere(self, name: str, otherwise: int) -> int:
        fault = self.in_force.get(name)
        return fault.value if fault else otherwise


def _fault(name: str, given: object) -> Fault:
    value, endpoint = (given, None)
    if isinstance(given, Mapping):
        if given.keys() != {"value", "endpoint"}:
            raise UnknownFault(f"{name} takes value and endpoint, and nothing else.")
        if KINDS[name].everywhere:
            raise UnknownFault(f"{name} cannot be limited to an endpoint.")
        value, endpoint = given["value"], given["endpoint"]
        if not isinstance(endpoint, str) or endpoint not in ENDPOINTS:
            raise UnknownFault(f"{name} is limited to an endpoint that does not exist.")
    if not KINDS[name].accepts(value):
        raise UnknownFault(f"{name} takes {KINDS[name].form}.")
    return Fault(value, endpoint)
