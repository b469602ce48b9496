"""Too much, too little, twice, late, unknown: all of it is in the books, and nothing is lost."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from msty_invoice.dev.process import Process
from tests.integration.running import RiverStandIn, Service
from tests.integration.settlement.conftest import Operator, wait_for

Books = Callable[..., list[Any]]
_DEPOSITS = """
    SELECT d.verdict, d.amount_sats FROM deposits d JOIN invoices i ON i.id = d.invoice_id
    WHERE i.payment_hash = %(payment_hash)s ORDER BY d.deposited_at
"""


def _deposits(books: Books, invoice: dict[str, Any]) -> list[Any]:
    return books(_DEPOSITS, payment_hash=invoice["paymentHash"])


def test_an_underpaid_invoice_is_not_settled(
    service: Service, operator: Operator, pay: Callable[..., Any], books: Books
) -> None:
    invoice = service.create().json()
    pay(invoice, amount=2499)

    operator.run("reconcile")

    assert _deposits(books, invoice) == [("underpaid", 2499)]
    assert service.read(invoice["paymentHash"])["status"] == "pending"


def test_an_overpaid_invoice_is_settled_and_noted(
    service: Service, operator: Operator, pay: Callable[..., Any], books: Books
) -> None:
    invoice = service.create().json()
    pay(invoice, amount=4000)

    operator.run("reconcile")

    assert _deposits(books, invoice) == [("credited", 4000)]
    assert service.read(invoice["paymentHash"])["status"] == "settled"
    noted = """
        SELECT count(*) FROM invoice_events e JOIN invoices i ON i.id = e.invoice_id
        WHERE i.payment_hash = %(h)s AND e.what = 'overpaid'
    """
    assert books(noted, h=invoice["paymentHash"]) == [(1,)]


def test_a_late_payment_settles_and_is_called_late(
    service: Service,
    sandbox: RiverStandIn,
    operator: Operator,
    pay: Callable[..., Any],
    settled: Callable[..., Any],
) -> None:
    sandbox.faults({"expiry_seconds": 1})
    invoice = service.create().json()
    expires_at = datetime.fromisoformat(invoice["expiresAt"])
    wait_for(lambda: datetime.now(expires_at.tzinfo), lambda now: now > expires_at)
    pay(invoice, late=True)

    operator.run("reconcile")

    assert settled(invoice)["late"] is True


def test_an_unpaid_invoice_expires_after_grace_and_a_walk(
    service: Service, sandbox: RiverStandIn, operator: Operator, books: Books
) -> None:
    sandbox.faults({"expiry_seconds": 1})
    invoice = service.create().json()
    sandbox.faults({})
    expires_at = datetime.fromisoformat(invoice["expiresAt"])
    wait_for(lambda: datetime.now(expires_at.tzinfo), lambda now: now > expires_at)

    operator.run("reconcile")
    assert service.read(invoice["paymentHash"])["status"] == "pending"  # grace is not over
    operator.run("reconcile", EXPIRY_GRACE="0")
    assert service.read(invoice["paymentHash"])["status"] == "expired"


def test_an_expired_invoice_that_is_paid_after_all_settles(
    service: Service,
    sandbox: RiverStandIn,
    operator: Operator,
    pay: Callable[..., Any],
    settled: Callable[..., Any],
) -> None:
    sandbox.faults({"expiry_seconds": 1})
    invoice = service.create().json()
    expires_at = datetime.fromisoformat(invoice["expiresAt"])
    wait_for(lambda: datetime.now(expires_at.tzinfo), lambda now: now > expires_at)
    operator.run("reconcile", EXPIRY_GRACE="0")
    pay(invoice, late=True)

    operator.run("reconcile")

    assert settled(invoice)["late"] is True


def test_while_the_provider_fails_nothing_expires(
    service: Service, sandbox: RiverStandIn, operator: Operator
) -> None:
    sandbox.faults({"expiry_seconds": 1})
    invoice = service.create().json()
    expires_at = datetime.fromisoformat(invoice["expiresAt"])
    wait_for(lambda: datetime.now(expires_at.tzinfo), lambda now: now > expires_at)
    sandbox.faults({"list_error_rate": 1.0})

    with pytest.raises(Exception, match="75"):
        operator.run("reconcile", EXPIRY_GRACE="0")

    assert service.read(invoice["paymentHash"])["status"] == "pending"


def test_a_thousand_copies_of_a_webhook_are_one_settlement(
    service: Service,
    sandbox: RiverStandIn,
    settler: Process,
    pay: Callable[..., Any],
    settled: Callable[..., Any],
    books: Books,
) -> None:
    sandbox.faults({"duplicate_webhooks": 99})
    invoices = [service.create().json() for _ in range(10)]
    payers = [threading.Thread(target=pay, args=(invoice,)) for invoice in invoices]
    for payer in payers:
        payer.start()
    for payer in payers:
        payer.join()
    hashes = [invoice["paymentHash"] for invoice in invoices]
    copies = """
        SELECT count(*), sum(w.copies) FROM webhook_events w
        JOIN deposits d ON d.deposit_ref = w.ref JOIN invoices i ON i.id = d.invoice_id
        WHERE i.payment_hash = ANY(%(hashes)s)
    """

    for invoice in invoices:
        settled(invoice)

    wait_for(lambda: books(copies, hashes=hashes)[0], lambda seen: seen == (10, 1000), 60)
    assert {tuple(_deposits(books, invoice)) for invoice in invoices} == {(("credited", 2500),)}


@pytest.mark.parametrize("proof", ["absent", "random", "hash"])
def test_a_proof_that_proves_nothing_settles_all_the_same(
    service: Service,
    sandbox: RiverStandIn,
    operator: Operator,
    pay: Callable[..., Any],
    settled: Callable[..., Any],
    books: Books,
    proof: str,
) -> None:
    sandbox.faults({"proof": proof})
    invoice = service.create().json()
    pay(invoice)

    operator.run("reconcile")

    settled(invoice)
    (kept,) = books(
        "SELECT preimage FROM invoices WHERE payment_hash = %(h)s", h=invoice["paymentHash"]
    )
    assert kept == (None,)


def test_forged_webhooks_are_refused_and_leave_no_trace(
    service: Service,
    sandbox: RiverStandIn,
    settler: Process,
    pay: Callable[..., Any],
    settled: Callable[..., Any],
    books: Books,
) -> None:
    sandbox.faults({"forge_webhooks": True})
    invoice = service.create().json()
    pay(invoice)

    settled(invoice)

    strangers = """
        SELECT count(*) FROM webhook_events w
        LEFT JOIN deposits d ON d.deposit_ref = w.ref
        WHERE d.deposit_ref IS NULL
    """
    assert books(strangers) == [(0,)]


def test_the_books_hold_what_the_provider_holds(
    sandbox: RiverStandIn, operator: Operator, books: Books
) -> None:
    operator.run("reconcile")
    state = sandbox.state()

    ours = books("SELECT count(*), coalesce(sum(amount_sats), 0) FROM deposits")

    theirs = state["deposits"]
    assert ours == [(len(theirs), sum(deposit["amount_sats"] for deposit in theirs))]
