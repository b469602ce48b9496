"""One invoice with all that belongs to it, read with the least of the roles."""

from contextlib import closing
from uuid import UUID

import pytest

from msty_invoice.domain.deposit import Finding, Verdict
from msty_invoice.domain.errors import InvoiceNotFound
from msty_invoice.domain.invoice import Invoice
from msty_invoice.domain.timeline import Dossier
from msty_invoice.storage.dossiers import PostgresDossiers
from msty_invoice.storage.postgres import Database
from tests.storage.settlement.books import PostgresBooks, make_deposit, make_event


def _read(books: PostgresBooks, invoice: Invoice) -> Dossier:
    with closing(Database(books.database.readonly)) as readonly:
        return PostgresDossiers(readonly).by_hash(invoice.payment_hash)


def _found(deposit_ref: str) -> Finding:
    return Finding("river", deposit_ref, "amount_sats", "2500", "2400")


def test_everything_about_an_invoice_and_nothing_about_others(books: PostgresBooks) -> None:
    invoice, other = books.add(), books.add()
    for one, ref in ((invoice, "dep_1"), (other, "dep_2")):
        books.deposits.judge(make_deposit(one, deposit_ref=ref), "webhook")
        books.webhooks.store(make_event(ref))
        books.deposits.add_finding(_found(ref))

    dossier = _read(books, invoice)

    assert dossier.invoice == books.seen(invoice)
    assert dossier.key_name == "shop"
    assert [d.deposit_ref for d in dossier.deposits] == ["dep_1"]
    assert dossier.deposits[0].verdict is Verdict.CREDITED
    assert [f.deposit_ref for f in dossier.findings] == ["dep_1"]
    assert [w.ref for w in dossier.webhooks] == ["dep_1"]
    assert [(e.what, e.how) for e in dossier.history] == [
        ("created", "api"),
        ("credited", "webhook"),
    ]
    assert dossier.strays == ()


def test_the_id_finds_it_too(books: PostgresBooks) -> None:
    invoice = books.add()

    assert PostgresDossiers(books.app).by_id(invoice.id).invoice == invoice


def test_an_unread_webhook_may_be_about_any_unpaid_invoice_before_it(books: PostgresBooks) -> None:
    invoice = books.add()
    books.webhooks.store(make_event("nobody's"))
    books.webhooks.store(make_event("done"))
    books.ask("UPDATE webhook_events SET done_at = now() WHERE ref = 'done'")
    books.webhooks.store(make_event("too old"))
    books.ask(
        "UPDATE webhook_events SET received_at = %(at)s - interval '16 minutes'"
        " WHERE ref = 'too old'",
        at=invoice.issued_at,
    )

    assert [w.ref for w in _read(books, invoice).strays] == ["nobody's"]


def test_it_knows_how_far_the_list_was_walked(books: PostgresBooks) -> None:
    invoice = books.add()

    assert _read(books, invoice).walked_from is None
    books.ask(
        "INSERT INTO provider_cursors (provider, complete_started_at) VALUES ('river', now())"
    )
    dossier = _read(books, invoice)
    assert dossier.walked_from is not None
    assert dossier.walked_from < dossier.now


def test_what_is_not_there_is_not_found(books: PostgresBooks) -> None:
    with pytest.raises(InvoiceNotFound):
        PostgresDossiers(books.app).by_hash("0" * 64)
    with pytest.raises(InvoiceNotFound):
        PostgresDossiers(books.app).by_id(UUID(int=9))
