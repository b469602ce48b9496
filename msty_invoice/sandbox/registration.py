"""The account's one webhook: registered, read, deleted.

River: "if none exists"; the secret is returned on registration. That it is not shown
again, and that DELETE answers nothing, are guesses.
"""

import os
from urllib.parse import urlsplit

from msty_invoice.sandbox.ledger import Ledger
from msty_invoice.sandbox.records import Webhook
from msty_invoice.sandbox.wire import Answer, Call, already_exists, invalid, not_found, text

_SECRET_BYTES = 32


class Registration:
    """River's webhooks endpoints."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def register(self, call: Call) -> Answer:
        url = text(call.body(), "url")
        if not _is_on_the_web(url):
            raise invalid("url")
        if self._ledger.webhook:
            raise already_exists()
        webhook = Webhook(url, os.urandom(_SECRET_BYTES).hex())
        self._ledger.set_webhook(webhook)
        return Answer(200, {"url": url, "secret": webhook.secret, "enabled": True})

    def webhook(self, call: Call) -> Answer:
        return Answer(200, {"url": self._registered().url, "enabled": True})

    def delete(self, call: Call) -> Answer:
        url = text(call.body(), "url")
        if url != self._registered().url:
            raise invalid("url")
        self._ledger.set_webhook(None)
        return Answer(200)

    def _registered(self) -> Webhook:
        if self._ledger.webhook is None:
            raise not_found()
        return self._ledger.webhook


def _is_on_the_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Reading the port raises ValueError for one there cannot be.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
