"""LNbits' webhook: not signed, so nothing of it is believed but which invoice to ask about."""

import json
import re

from msty_invoice.domain.errors import InvalidInput
from msty_invoice.domain.webhook import DEPOSIT, SUCCESS, WebhookEvent

_HASH = re.compile(r"[0-9a-f]{64}")


def read_hint(provider: str, body: bytes) -> WebhookEvent:
    """The event, whose `ref` is a payment hash. Raises `InvalidInput`.

    Only the hash is kept of what came: the rest proves nothing and holds a preimage, and this
    way all hints about one invoice, however many, are one event.
    """
    payment_hash = _payment_hash(body)
    kept = json.dumps({"payment_hash": payment_hash}).encode()
    # LNbits has a webhook for one thing only: an invoice of ours was paid.
    return WebhookEvent(provider, DEPOSIT, payment_hash, SUCCESS, kept)


def _payment_hash(body: bytes) -> str:
    """LNbits 1.6.2 sends the JSON of the payment as a JSON string; an object is taken too."""
    try:
        payment = json.loads(body.decode())
        if isinstance(payment, str):
            payment = json.loads(payment)
    except (ValueError, RecursionError):
        payment = None
    found = payment.get("payment_hash") if isinstance(payment, dict) else None
    if not isinstance(found, str) or not _HASH.fullmatch(found):
        raise InvalidInput({"body": ["This names no payment."]})
    return found
