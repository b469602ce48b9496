"""What every provider must do for us, whatever it speaks: this file knows none of them."""

import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest

from msty_invoice.dev.process import Process, ProgramFailed
from msty_invoice.lightning.bolt11 import decode
from tests.integration.providers.conftest import status_of
from tests.integration.providers.houses import House
from tests.integration.running import Service
from tests.integration.settlement.conftest import Operator, wait_for

Books = Callable[..., list[Any]]
_HOW = """
    SELECT e.how FROM invoice_events e JOIN invoices i ON i.id = e.invoice_id
    WHERE i.payment_hash = %(h)s AND e.what = 'credited'
"""
_PREIMAGE = "SELECT preimage FROM invoices WHERE payment_hash = %(h)s"


@pytest.fixture(autouse=True)
def _well_behaved(house: House) -> Iterator[None]:
    """No fault outlives its test."""
    yield
    house.resume()
    house.tell(webhooks=True)


def test_an_invoice_says_what_was_asked(service: Service, house: House) -> None:
    invoice = service.create({"amount": 2500, "memo": "café ☕"}).json()

    bolt11 = decode(invoice["paymentRequest"])
    assert (bolt11.amount_sats, bolt11.network) == (2500, house.network)
    assert bolt11.payment_hash == invoice["paymentHash"]
    assert bolt11.description == "café ☕"


def test_a_webhook_settles_at_once(
    service: Service, settler: Process, house: House, settled: Callable[..., None], books: Books
) -> None:
    invoice = service.create().json()

    preimage = house.pay(invoice["paymentRequest"])

    settled(invoice)
    assert books(_HOW, h=invoice["paymentHash"]) == [("webhook",)]
    assert books(_PREIMAGE, h=invoice["paymentHash"]) == [(preimage,)]
    assert sha256(bytes.fromhex(preimage)).hexdigest() == invoice["paymentHash"]


def test_the_walk_finds_what_no_webhook_told_over_several_pages(
    service: Service, operator: Operator, house: House, books: Books
) -> None:
    house.tell(webhooks=False)
    invoices = [service.create().json() for _ in range(30)]
    for invoice in invoices:
        house.pay(invoice["paymentRequest"])

    operator.run("reconcile")

    assert {status_of(books, invoice) for invoice in invoices} == {"settled"}
    assert {books(_HOW, h=invoice["paymentHash"])[0] for invoice in invoices} == {("walk",)}


def test_a_reader_makes_the_settler_look(
    service: Service, settler: Process, house: House, books: Books
) -> None:
    house.tell(webhooks=False)
    invoice = service.create().json()
    house.pay(invoice["paymentRequest"])

    wait_for(lambda: service.read(invoice["paymentHash"]), lambda read: read["status"] == "settled")

    assert books(_HOW, h=invoice["paymentHash"]) == [("look",)]


def test_what_one_way_found_the_others_leave_alone(
    service: Service,
    settler: Process,
    operator: Operator,
    house: House,
    settled: Callable[..., None],
    books: Books,
) -> None:
    invoice = service.create().json()
    house.pay(invoice["paymentRequest"])
    settled(invoice)

    for _ in range(3):
        operator.run("reconcile")
        service.read(invoice["paymentHash"])

    assert len(books(_HOW, h=invoice["paymentHash"])) == 1
    assert books("SELECT count(*) FROM deposit_findings") == [(0,)]


def test_an_invoice_nobody_paid_is_never_settled(
    service: Service, settler: Process, operator: Operator, books: Books
) -> None:
    invoice = service.create().json()

    operator.run("reconcile")
    service.read(invoice["paymentHash"])
    operator.run("reconcile", EXPIRY_GRACE="0")

    assert status_of(books, invoice) == "pending"
    assert books(_PREIMAGE, h=invoice["paymentHash"]) == [(None,)]


def test_no_preimage_is_shown_before_and_after(
    service: Service, settler: Process, house: House, settled: Callable[..., None]
) -> None:
    answer = service.create()
    invoice = answer.json()
    before = service.read(invoice["paymentHash"])
    preimage = house.pay(invoice["paymentRequest"])
    settled(invoice)

    after = service.read(invoice["paymentHash"])

    assert preimage not in f"{answer.text}{before}{after}{service.log}"
    assert "preimage" not in {*invoice, *before, *after}


def test_a_provider_that_hangs_holds_a_create_for_the_deadline_only(
    service: Service, house: House, books: Books
) -> None:
    made = books("SELECT count(*) FROM invoices")
    house.pause()
    began = time.monotonic()

    answer = service.create()

    assert (answer.status_code, answer.json()["code"]) == (503, "PROVIDER_UNAVAILABLE")
    assert 2 < time.monotonic() - began < 6
    assert books("SELECT count(*) FROM invoices") == made


def test_while_the_provider_hangs_nothing_is_guessed(
    service: Service, operator: Operator, house: House, books: Books
) -> None:
    invoice = service.create().json()
    house.tell(webhooks=False)
    house.pay(invoice["paymentRequest"])
    house.pause()

    with pytest.raises(ProgramFailed, match="75"):
        operator.run("reconcile", EXPIRY_GRACE="0", PROVIDER_DEADLINE_SECONDS="1")
    assert status_of(books, invoice) == "pending"

    house.resume()
    operator.run("reconcile")
    assert status_of(books, invoice) == "settled"


def test_no_secret_is_in_any_log(
    service: Service,
    settler: Process,
    operator: Operator,
    house: House,
    settled: Callable[..., None],
) -> None:
    invoice = service.create().json()
    house.pay(invoice["paymentRequest"])
    settled(invoice)
    operator.run("reconcile")
    house.pause()
    service.create()
    house.resume()

    logs = service.log + settler.log.read_text() + (operator.folder / "commands.log").read_text()

    assert not [secret for secret in house.secrets if secret in logs]


def test_the_books_hold_what_the_provider_holds(
    operator: Operator, house: House, books: Books
) -> None:
    operator.run("reconcile")

    ours = books("SELECT count(*), coalesce(sum(amount_sats), 0) FROM deposits")

    assert ours == [house.received()]
