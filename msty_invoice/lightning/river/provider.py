"""River as a `LightningProvider`."""

from msty_invoice.domain.errors import UntrustworthyInvoice
from msty_invoice.domain.invoice import InvoiceOrder, IssuedInvoice, Network
from msty_invoice.lightning.issued import issued_invoice
from msty_invoice.lightning.river.client import RiverClient
from msty_invoice.lightning.river.wire import LIGHTNING


class River:
    """Implements `service.ports.LightningProvider`."""

    name = "river"

    def __init__(self, client: RiverClient, network: Network) -> None:
        self._client = client
        self._network = network

    def create_invoice(self, order: InvoiceOrder) -> IssuedInvoice:
        """Raises a `ProviderError`; `UntrustworthyInvoice` if River made something else."""
        intent = self._client.create_intent(order.amount_sats, order.memo)
        if intent.network != LIGHTNING:
            raise UntrustworthyInvoice(f"intent {intent.id} is not for Lightning")
        return issued_invoice(
            order,
            intent.destination,
            network=self._network,
            provider=self.name,
            provider_ref=intent.id,
        )

    def ping(self) -> None:
        self._client.ping()
