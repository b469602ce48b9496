"""Finding what an operator names, however it is named."""

import re
from collections.abc import Callable
from uuid import UUID

from msty_invoice.domain.errors import InvoiceNotFound, UntrustworthyInvoice
from msty_invoice.domain.timeline import Dossier
from msty_invoice.service.operator_ports import DossierStore

_HASH = re.compile(r"[0-9a-fA-F]{64}")


class Showing:
    """`hash_of` reads the payment hash of a BOLT11 and raises `UntrustworthyInvoice`."""

    def __init__(self, dossiers: DossierStore, hash_of: Callable[[str], str]) -> None:
        self._dossiers = dossiers
        self._hash_of = hash_of

    def find(self, named: str) -> Dossier:
        """By payment hash, id or BOLT11. Raises `InvoiceNotFound` with what to type instead."""
        name = named.strip()
        try:
            return self._find(name)
        except UntrustworthyInvoice as exc:
            raise InvoiceNotFound(str(exc)) from exc
        except InvoiceNotFound as exc:
            raise InvoiceNotFound(
                f"there is no invoice {name}. If it was paid, its deposit stands in"
                " msty-invoice quarantine list; the newest invoices in msty-invoice invoice list"
            ) from exc

    def _find(self, name: str) -> Dossier:
        if _HASH.fullmatch(name):
            return self._dossiers.by_hash(name.lower())
        bolt11 = name.lower().removeprefix("lightning:")
        if bolt11.startswith("ln"):
            return self._dossiers.by_hash(self._hash_of(bolt11))
        try:
            invoice_id = UUID(name)
        except ValueError as exc:
            raise InvoiceNotFound(name) from exc
        return self._dossiers.by_id(invoice_id)
