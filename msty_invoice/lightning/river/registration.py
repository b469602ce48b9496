"""The account's one webhook: registered, and its secret changed.

River signs with one secret at a time and tells it only once; a new one means deleting the
webhook and registering it again. What happens in between is found by the walk.
"""

from msty_invoice.domain.errors import InvoicingError, ProviderUnavailable
from msty_invoice.lightning.river.client import RiverClient


class WebhookExists(InvoicingError):
    """There is a webhook already; its secret cannot be read again, only replaced."""


class WebhookRegistration:
    """`url` is where River is to send events."""

    def __init__(self, client: RiverClient, url: str) -> None:
        self._client = client
        self._url = url

    def register(self) -> str:
        """Register and return the secret, in hex. Raises `WebhookExists` or a `ProviderError`."""
        if existing := self._client.find_webhook():
            raise WebhookExists(f"River sends to {existing.url} already; rotate its secret instead")
        return self._register()

    def replace(self) -> str:
        """Delete what is registered, register anew, and return the new secret, in hex.

        Raises a `ProviderError`; then perhaps none is registered: run it again.
        """
        if existing := self._client.find_webhook():
            self._client.delete_webhook(existing.url)
        return self._register()

    def _register(self) -> str:
        webhook = self._client.register_webhook(self._url)
        if not webhook.secret:
            raise ProviderUnavailable("River registered the webhook but told no secret; rotate it")
        return webhook.secret
