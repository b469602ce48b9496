"""Webhook, walk and look: each finds a payment by itself, and none counts it twice."""

from collections.abc import Callable
from typing import Any

from msty_invoice.dev.process import Process
from tests.integration.running import RiverStandIn, Service
from tests.integration.settlement.conftest import Operator, wait_for

Books = Callable[..., list[Any]]
_HOW = """
    SELECT e.how FROM invoice_events e JOIN invoices i ON i.id = e.invoice_id
    WHERE i.payment_hash = %(payment_hash)s AND e.what = 'credited'
"""
_STATUS = "SELECT status FROM invoices WHERE payment_hash = %(payment_hash)s"


def _status(books: Books, invoice: dict[str, Any]) -> str:
    status: str = books(_STATUS, payment_hash=invoice["paymentHash"])[0][0]
    return status


def test_a_webhook_settles_at_once(
    service: Service, settler: Process, pay: Callable[..., Any], books: Books
) -> None:
    invoice = service.create().json()

    paid = pay(invoice)

    wait_for(lambda: _status(books, invoice), lambda status: status == "settled")
    assert books(_HOW, payment_hash=invoice["paymentHash"]) == [("webhook",)]
    (preimage,) = books(
        "SELECT preimage FROM invoices WHERE payment_hash = %(h)s", h=invoice["paymentHash"]
    )
    assert preimage == (paid["preimage"],)


def test_the_walk_finds_what_no_webhook_told(
    service: Service,
    sandbox: RiverStandIn,
    operator: Operator,
    pay: Callable[..., Any],
    books: Books,
) -> None:
    sandbox.faults({"drop_webhooks": True})
    invoices = [service.create().json() for _ in range(30)]
    for invoice in invoices:
        pay(invoice)

    operator.run("reconcile")

    assert {_status(books, invoice) for invoice in invoices} == {"settled"}
    assert books(_HOW, payment_hash=invoices[0]["paymentHash"]) == [("walk",)]


def test_a_reader_makes_the_settler_look(
    service: Service,
    sandbox: RiverStandIn,
    settler: Process,
    pay: Callable[..., Any],
    settled: Callable[..., Any],
    books: Books,
) -> None:
    sandbox.faults({"drop_webhooks": True})
    invoice = service.create().json()
    pay(invoice)

    settled(invoice)

    assert books(_HOW, payment_hash=invoice["paymentHash"]) == [("look",)]


def test_what_one_way_found_the_others_leave_alone(
    service: Service,
    settler: Process,
    operator: Operator,
    pay: Callable[..., Any],
    settled: Callable[..., Any],
    books: Books,
) -> None:
    invoice = service.create().json()
    pay(invoice)
    settled(invoice)

    for _ in range(3):
        operator.run("reconcile")
        service.read(invoice["paymentHash"])

    assert len(books(_HOW, payment_hash=invoice["paymentHash"])) == 1
    assert books("SELECT count(*) FROM deposit_findings") == [(0,)]


def test_a_paid_invoice_says_when_and_that_it_was_in_time(
    service: Service, settler: Process, pay: Callable[..., Any], settled: Callable[..., Any]
) -> None:
    invoice = service.create().json()
    pay(invoice)

    document = settled(invoice)

    assert document["settledAt"].endswith("Z")
    assert document["late"] is False


def test_without_the_provider_nothing_is_guessed(
    service: Service,
    sandbox: RiverStandIn,
    settler: Process,
    pay: Callable[..., Any],
    settled: Callable[..., Any],
    books: Books,
) -> None:
    invoice = service.create().json()
    sandbox.faults({"error_rate": 1.0})
    pay(invoice)
    attempts = "SELECT max(attempts) FROM webhook_events WHERE done_at IS NULL"
    wait_for(lambda: books(attempts)[0][0], lambda tried: (tried or 0) >= 2)

    assert _status(books, invoice) == "pending"

    sandbox.faults({})
    settled(invoice)
