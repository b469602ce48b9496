"""The contract of `service.ports.InvoiceStore`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from msty_invoice.domain.errors import InvoiceIssuedTwice, InvoiceNotFound
from msty_invoice.service.ports import InvoiceStore
from msty_invoice.storage.invoices import PostgresInvoices
from tests.fakes import NOON, MemoryInvoices
from tests.storage.conftest import FAMILY, OTHER_FAMILY, make_invoice


def test_an_added_invoice_comes_back_as_it_was(invoices: InvoiceStore) -> None:
    invoice = make_invoice(memo="café ☕")

    assert invoices.add(invoice) == invoice
    assert invoices.get(FAMILY, invoice.payment_hash) == invoice


def test_an_invoice_needs_no_memo(invoices: InvoiceStore) -> None:
    invoice = invoices.add(make_invoice(memo=None))

    assert invoices.get(FAMILY, invoice.payment_hash).memo is None


def test_an_invoice_is_known_by_its_provider_and_reference(
    invoices: MemoryInvoices | PostgresInvoices,
) -> None:
    invoice = invoices.add(make_invoice())

    assert invoices.has(invoice.provider, invoice.provider_ref)
    assert not invoices.has("another", invoice.provider_ref)
    assert not invoices.has(invoice.provider, "another")


def test_another_family_does_not_find_it(invoices: InvoiceStore) -> None:
    invoice = invoices.add(make_invoice())

    with pytest.raises(InvoiceNotFound):
        invoices.get(OTHER_FAMILY, invoice.payment_hash)


def test_an_unknown_hash_is_not_found(invoices: InvoiceStore) -> None:
    with pytest.raises(InvoiceNotFound):
        invoices.get(FAMILY, "ab" * 32)


def test_adding_the_same_invoice_again_changes_nothing(invoices: InvoiceStore) -> None:
    first = invoices.add(make_invoice())

    again = invoices.add(replace(first, updated_at=NOON + timedelta(minutes=1)))

    assert again == first


def test_one_payment_hash_is_never_given_to_two_invoices(invoices: InvoiceStore) -> None:
    first = invoices.add(make_invoice())

    with pytest.raises(InvoiceIssuedTwice):
        invoices.add(make_invoice(payment_hash=first.payment_hash))


def test_one_provider_reference_is_never_given_to_two_invoices(invoices: InvoiceStore) -> None:
    first = invoices.add(make_invoice())

    with pytest.raises(InvoiceIssuedTwice):
        invoices.add(make_invoice(provider_ref=first.provider_ref))


def test_two_providers_may_use_the_same_reference(invoices: InvoiceStore) -> None:
    first = invoices.add(make_invoice())

    second = invoices.add(make_invoice(provider="lnbits", provider_ref=first.provider_ref))

    assert invoices.get(FAMILY, second.payment_hash).provider == "lnbits"
