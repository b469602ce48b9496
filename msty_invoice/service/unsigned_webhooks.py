"""Webhooks of a provider that does not sign: told at an address only it was given."""

from collections.abc import Mapping, Sequence
from hmac import compare_digest

from msty_invoice.domain.errors import WebhookMisaddressed
from msty_invoice.service.ports import IssuedInvoices, LightningProvider
from msty_invoice.service.settlement_ports import SettlementCounts, WebhookStore


class UnsignedWebhooks:
    """Takes hints. Any of `tokens` may stand in the address, since invoices outlive a change.

    A token only sheds noise: whoever learns it can make us ask the provider about our own
    invoices, and nothing else.
    """

    def __init__(
        self,
        provider: LightningProvider,
        tokens: Sequence[str],
        issued: IssuedInvoices,
        store: WebhookStore,
        counts: SettlementCounts,
    ) -> None:
        self._provider = provider
        self._tokens = [token.encode() for token in tokens]
        self._issued = issued
        self._store = store
        self._counts = counts

    def take(self, token: str, headers: Mapping[str, str], body: bytes) -> None:
        """Store a hint about an invoice of ours; returns once it is committed.

        Raises `WebhookMisaddressed` or `InvalidInput` (then nothing is stored), or
        `StorageUnavailable`. A hint about anything else is counted and forgotten.
        """
        if not self._is_ours(token):
            self._counts.webhook(WebhookMisaddressed.kind)
            raise WebhookMisaddressed(f"to {self._provider.name}, without its token")
        event = self._provider.read_webhook(headers, body)
        if not self._issued.has(self._provider.name, event.ref):
            self._counts.webhook("stranger")
            return
        copies = self._store.store(event)
        self._counts.webhook("new" if copies == 1 else "repeated")

    def _is_ours(self, token: str) -> bool:
        # Every one is tried, always: the time this takes tells nobody which one is right.
        matches = [compare_digest(ours, token.encode()) for ours in self._tokens]
        return any(matches)
