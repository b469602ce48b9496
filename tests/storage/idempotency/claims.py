"""Claims, and the keys that they are about."""

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from msty_invoice.domain.idempotency import Claim, IdempotencyKey, fingerprint
from msty_invoice.domain.invoice import InvoiceOrder
from msty_invoice.service.ports import IdempotencyStore, InvoiceStore
from tests.storage.conftest import FAMILY

ORDER = InvoiceOrder(2500, "order 42")
OTHER_ORDER = InvoiceOrder(2501, "order 42")


def make_claim(
    key: str = "order-42", *, order: InvoiceOrder = ORDER, family: UUID = FAMILY
) -> Claim:
    """An attempt of its own at the order of a key."""
    return Claim(family, IdempotencyKey(key), fingerprint(order), token=uuid4())


def retry(claim: Claim) -> Claim:
    """The next request with the same key and order."""
    return replace(claim, token=uuid4())


@dataclass(frozen=True)
class Stores:
    """One set of keys and invoices. To `impatient` every claim that runs is a dead one."""

    keys: IdempotencyStore
    impatient: IdempotencyStore
    invoices: InvoiceStore
