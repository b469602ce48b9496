"""Real stores, and the fakes that must behave like them."""

from datetime import timedelta
from typing import Protocol
from uuid import UUID, uuid4

import pytest

from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from msty_invoice.domain.key import ApiKey, KeyKind
from msty_invoice.service.ports import InvoiceStore, KeyStore
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.postgres import Database
from tests.fakes import NOON, MemoryInvoices, MemoryKeys

FAMILY = UUID(int=1)
OTHER_FAMILY = UUID(int=2)


class MakeInvoice(Protocol):
    def __call__(self, **changes: object) -> Invoice: ...


def make_invoice(**changes: object) -> Invoice:
    """A pending invoice of FAMILY for 2500 sats, unlike any other."""
    unique = uuid4()
    fields: dict[str, object] = {
        "id": unique,
        "key_family": FAMILY,
        "provider": "river",
        "provider_ref": f"di_{unique.hex}",
        "payment_request": f"lnbcrt{unique.hex}",
        "payment_hash": unique.hex * 2,
        "amount_sats": 2500,
        "memo": "order 42",
        "status": InvoiceStatus.PENDING,
        "issued_at": NOON,
        "expires_at": NOON + timedelta(hours=1),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Invoice(**fields | changes)  # type: ignore[arg-type]


def make_key(name: str, key_id: UUID, **changes: object) -> ApiKey:
    fields: dict[str, object] = {
        "id": key_id,
        "name": name,
        "kind": KeyKind.SECRET,
        "live": False,
        "prefix": f"sk_test_{name[:6]}",
        "created_at": NOON,
    }
    return ApiKey(**fields | changes)  # type: ignore[arg-type]


def _with_families(keys: KeyStore) -> None:
    keys.add(make_key("shop", FAMILY), b"1" * 32)
    keys.add(make_key("other", OTHER_FAMILY), b"2" * 32)


@pytest.fixture(params=["memory", "database", "database_15"])
def keys(request: pytest.FixtureRequest) -> KeyStore:
    """Where FAMILY and OTHER_FAMILY are known; the fake and the real one alike."""
    made: KeyStore
    if request.param == "memory":
        made = MemoryKeys()
    else:
        made = PostgresKeys(Database(request.getfixturevalue(request.param).app))
    _with_families(made)
    return made


@pytest.fixture(params=["memory", "database", "database_15"])
def invoices(request: pytest.FixtureRequest) -> InvoiceStore:
    """Every test of invoices runs against both, so that the fake cannot drift."""
    if request.param == "memory":
        return MemoryInvoices()
    database = Database(request.getfixturevalue(request.param).app)
    _with_families(PostgresKeys(database))
    return PostgresInvoices(database)
