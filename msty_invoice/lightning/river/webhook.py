"""River's webhooks: verified over the bytes as received, and only then read."""

from collections.abc import Callable, Mapping
from datetime import datetime

from msty_invoice.domain.errors import InvalidInput
from msty_invoice.lightning.river import signature, wire
from msty_invoice.lightning.river.signature import SignatureRules


class SignedWebhooks:
    """`now` is the time of day in aware UTC."""

    def __init__(self, rules: SignatureRules, now: Callable[[], datetime]) -> None:
        self._rules = rules
        self._now = now

    def read(self, headers: Mapping[str, str], body: bytes) -> wire.Event:
        """`headers` are in lower case. Raises a `WebhookRefused`, or `InvalidInput`."""
        signature.verify(headers.get(signature.HEADER, ""), body, self._rules, self._now())
        try:
            return wire.webhook_event(wire.json_object(body))
        except wire.UnreadableBody as exc:
            raise InvalidInput({"body": [f"Signed, but {exc}."]}) from exc
