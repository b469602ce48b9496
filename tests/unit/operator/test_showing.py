"""An invoice is found however an operator knows it."""

from uuid import UUID

import pytest

from msty_invoice.domain.errors import InvoiceNotFound
from msty_invoice.domain.timeline import Dossier
from msty_invoice.lightning.bolt11 import encode
from msty_invoice.lightning.issued import hash_of
from msty_invoice.service.showing import Showing
from tests.unit.bolt11_coffee import COFFEE, KEY
from tests.unit.operator.dossiers import dossier

KNOWN = dossier()
BOLT11 = encode(COFFEE, KEY)


class OneDossier:
    """Keeps to `operator_ports.DossierStore`, and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str | UUID] = []

    def by_hash(self, payment_hash: str) -> Dossier:
        return self._find(payment_hash, KNOWN.invoice.payment_hash)

    def by_id(self, invoice_id: UUID) -> Dossier:
        return self._find(invoice_id, KNOWN.invoice.id)

    def _find(self, asked: str | UUID, known: str | UUID) -> Dossier:
        self.asked.append(asked)
        if asked != known:
            raise InvoiceNotFound(str(asked))
        return KNOWN


@pytest.mark.parametrize(
    "name",
    [
        KNOWN.invoice.payment_hash,
        f" {KNOWN.invoice.payment_hash.upper()}\n",
        str(KNOWN.invoice.id),
    ],
)
def test_by_hash_and_by_id(name: str) -> None:
    assert Showing(OneDossier(), hash_of).find(name) is KNOWN


@pytest.mark.parametrize("name", [BOLT11, BOLT11.upper(), f"lightning:{BOLT11}"])
def test_by_bolt11(name: str) -> None:
    store = OneDossier()

    with pytest.raises(InvoiceNotFound):
        Showing(store, hash_of).find(name)

    assert store.asked == [COFFEE.payment_hash]


@pytest.mark.parametrize("name", ["0" * 64, str(UUID(int=9)), "order 42", ""])
def test_what_is_not_found_says_what_to_type(name: str) -> None:
    with pytest.raises(InvoiceNotFound, match="msty-invoice quarantine list"):
        Showing(OneDossier(), hash_of).find(name)


def test_a_broken_bolt11_says_why() -> None:
    with pytest.raises(InvoiceNotFound, match="cannot be read"):
        Showing(OneDossier(), hash_of).find(BOLT11[:-9])
