"""The contract of `service.ports.IdempotencyStore`."""

import pytest

from msty_invoice.domain.errors import (
    ClaimOvertaken,
    IdempotencyConflict,
    IdempotencyMismatch,
    InvoiceIssuedTwice,
    InvoiceNotFound,
)
from msty_invoice.domain.invoice import InvoiceOrder
from tests.storage.conftest import FAMILY, OTHER_FAMILY, make_invoice
from tests.storage.idempotency.claims import ORDER, OTHER_ORDER, Stores, make_claim, retry


def test_a_new_key_is_ours(stores: Stores) -> None:
    assert stores.keys.claim(make_claim()) is None


def test_a_finished_key_gives_its_invoice(stores: Stores) -> None:
    claim, invoice = make_claim(), make_invoice()
    stores.keys.claim(claim)

    assert stores.keys.finish(claim, invoice) == invoice
    assert stores.keys.claim(retry(claim)) == invoice
    assert stores.invoices.get(FAMILY, invoice.payment_hash) == invoice


def test_a_key_that_is_worked_on_is_in_conflict(stores: Stores) -> None:
    claim = make_claim()
    stores.keys.claim(claim)

    with pytest.raises(IdempotencyConflict):
        stores.keys.claim(retry(claim))


@pytest.mark.parametrize("finished", [False, True])
def test_another_order_is_a_mismatch(stores: Stores, finished: bool) -> None:
    claim = make_claim(order=ORDER)
    stores.keys.claim(claim)
    if finished:
        stores.keys.finish(claim, make_invoice())

    with pytest.raises(IdempotencyMismatch):
        stores.keys.claim(make_claim(order=OTHER_ORDER))


@pytest.mark.parametrize("order", [ORDER, OTHER_ORDER])
def test_a_released_key_is_taken_at_once_for_any_order(stores: Stores, order: InvoiceOrder) -> None:
    claim = make_claim()
    stores.keys.claim(claim)
    stores.keys.release(claim)

    second = make_claim(order=order)

    assert stores.keys.claim(second) is None
    assert stores.keys.finish(second, make_invoice())


def test_a_dead_claim_is_taken_over(stores: Stores) -> None:
    claim = make_claim()
    stores.keys.claim(claim)

    assert stores.impatient.claim(retry(claim)) is None


def test_whoever_was_overtaken_records_nothing(stores: Stores) -> None:
    zombie, invoice = make_claim(), make_invoice()
    stores.keys.claim(zombie)
    winner = retry(zombie)
    stores.impatient.claim(winner)

    with pytest.raises(ClaimOvertaken):
        stores.keys.finish(zombie, invoice)

    with pytest.raises(InvoiceNotFound):
        stores.invoices.get(FAMILY, invoice.payment_hash)
    assert stores.keys.finish(winner, make_invoice())


def test_whoever_was_overtaken_changes_nothing_of_what_was_made(stores: Stores) -> None:
    zombie, invoice = make_claim(), make_invoice()
    stores.keys.claim(zombie)
    winner = retry(zombie)
    stores.impatient.claim(winner)
    stores.keys.finish(winner, invoice)

    with pytest.raises(ClaimOvertaken):
        stores.keys.finish(zombie, make_invoice())

    assert stores.keys.get(zombie) == invoice


def test_whoever_was_overtaken_releases_nothing(stores: Stores) -> None:
    zombie = make_claim()
    stores.keys.claim(zombie)
    stores.impatient.claim(retry(zombie))

    stores.keys.release(zombie)

    with pytest.raises(IdempotencyConflict):
        stores.keys.claim(retry(zombie))


def test_a_released_claim_may_still_finish_while_nobody_took_it(stores: Stores) -> None:
    # Its finish was on the way when the release was written: one invoice all the same.
    claim, invoice = make_claim(), make_invoice()
    stores.keys.claim(claim)
    stores.keys.release(claim)

    assert stores.keys.finish(claim, invoice) == invoice
    assert stores.keys.claim(retry(claim)) == invoice


def test_a_finished_key_is_neither_released_nor_taken_over(stores: Stores) -> None:
    claim, invoice = make_claim(), make_invoice()
    stores.keys.claim(claim)
    stores.keys.finish(claim, invoice)

    stores.keys.release(claim)

    assert stores.impatient.claim(retry(claim)) == invoice


def test_every_call_may_be_repeated(stores: Stores) -> None:
    claim, invoice = make_claim(), make_invoice()

    assert [stores.keys.claim(claim) for _ in range(2)] == [None, None]
    assert [stores.keys.finish(claim, invoice) for _ in range(2)] == [invoice, invoice]
    stores.keys.release(claim)
    stores.keys.release(claim)


def test_an_invoice_of_another_order_is_never_finished_with(stores: Stores) -> None:
    first = stores.invoices.add(make_invoice())
    claim = make_claim()
    stores.keys.claim(claim)

    with pytest.raises(InvoiceIssuedTwice):
        stores.keys.finish(claim, make_invoice(payment_hash=first.payment_hash))

    stores.keys.release(claim)
    assert stores.keys.claim(retry(claim)) is None


def test_families_have_their_own_keys(stores: Stores) -> None:
    ours, theirs = make_claim(), make_claim(family=OTHER_FAMILY, order=OTHER_ORDER)
    stores.keys.claim(ours)
    stores.keys.finish(ours, make_invoice())

    assert stores.keys.claim(theirs) is None


def test_keys_differ_by_any_character(stores: Stores) -> None:
    assert [stores.keys.claim(make_claim(key)) for key in ("a", "A", "a.", "~" * 255)] == [None] * 4


def test_there_is_nothing_to_get_before_it_is_made(stores: Stores) -> None:
    claim = make_claim()
    with pytest.raises(IdempotencyConflict):
        stores.keys.get(claim)
    stores.keys.claim(claim)
    with pytest.raises(IdempotencyConflict):
        stores.keys.get(retry(claim))
    with pytest.raises(IdempotencyMismatch):
        stores.keys.get(make_claim(order=OTHER_ORDER))


def test_a_released_key_has_no_order(stores: Stores) -> None:
    claim = make_claim()
    stores.keys.claim(claim)
    stores.keys.release(claim)

    with pytest.raises(IdempotencyConflict):
        stores.keys.get(make_claim(order=OTHER_ORDER))
