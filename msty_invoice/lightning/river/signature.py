"""`River-Signature`: a timestamp and the hex HMAC-SHA256 of `<timestamp>.<body>`.

River's reference states the header's name, the algorithm and what is signed. How timestamp
and signature stand in the value, and the timestamp's unit, are settings (`assumptions`).
"""

import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from msty_invoice.domain.errors import WebhookForged, WebhookStale, WebhookUnsigned

HEADER = "river-signature"

_UNITS_A_SECOND = {"s": 1, "ms": 1000}
_LONGEST = 1024
_TIMESTAMP = re.compile(r"[0-9]{1,16}")
_SIGNATURE = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class SignatureRules:
    """`layout` is `json` or `kv`, `unit` is `s` or `ms`; `max_age_seconds` counts both ways."""

    secrets: Sequence[bytes] = field(default=(), repr=False)
    layout: str = "json"
    unit: str = "s"
    max_age_seconds: int = 300


def verify(value: str, body: bytes, rules: SignatureRules, now: datetime) -> None:
    """Return if `value` signs exactly these bytes, lately. Raises a `WebhookRefused`."""
    timestamp, signature = _parts(value, rules.layout)
    if not _signed(timestamp, signature, body, rules.secrets):
        raise WebhookForged("the signature is of no active secret")
    # The timestamp is part of what was signed, so it is the sender's own.
    sent_at = int(timestamp) / _UNITS_A_SECOND[rules.unit]
    if abs(now.timestamp() - sent_at) > rules.max_age_seconds:
        raise WebhookStale(f"signed {now.timestamp() - sent_at:.0f} s ago")


def _signed(timestamp: str, signature: str, body: bytes, secrets: Sequence[bytes]) -> bool:
    message = timestamp.encode() + b"." + body
    given = bytes.fromhex(signature)
    # Every secret is tried, always: the time this takes tells nobody which one is active.
    matches = [
        hmac.compare_digest(hmac.new(secret, message, sha256).digest(), given) for secret in secrets
    ]
    return any(matches)


def _parts(value: str, layout: str) -> tuple[str, str]:
    parts = _read_json(value) if layout == "json" else _read_pairs(value)
    timestamp, signature = parts.get("timestamp"), parts.get("signature")
    if not isinstance(timestamp, str) or not _TIMESTAMP.fullmatch(timestamp):
        raise WebhookUnsigned("no timestamp to read")
    if not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature):
        raise WebhookUnsigned("no signature to read")
    return timestamp, signature


def _read_json(value: str) -> dict[str, object]:
    try:
        parts = json.loads(value) if len(value) <= _LONGEST else None
    except (ValueError, RecursionError):
        parts = None
    return parts if isinstance(parts, dict) else {}


def _read_pairs(value: str) -> dict[str, object]:
    pairs = (part.partition("=") for part in value[:_LONGEST].split(","))
    return {name.strip(): content.strip() for name, _, content in pairs}
