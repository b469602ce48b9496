"""A statement whose answer is lost may have been committed: look, never guess."""

from collections.abc import Callable

import pytest

from msty_invoice.domain.errors import ClaimOvertaken, InvoiceNotFound, StorageUnavailable
from msty_invoice.domain.idempotency import Claim
from msty_invoice.storage.idempotency import PostgresIdempotency
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.postgres import Database
from tests.databases import DatabaseOfOne
from tests.storage.conftest import FAMILY, make_invoice
from tests.storage.idempotency.claims import make_claim, retry
from tests.storage.idempotency.conftest import LEASE
from tests.storage.idempotency.losing import LosingDatabase, Loss

LOSSES: list[Loss] = ["never", "answer", "late"]


def _losing(families: DatabaseOfOne, *losses: Loss) -> PostgresIdempotency:
    return PostgresIdempotency(LosingDatabase(families.app, *losses), LEASE)


def _keys(families: DatabaseOfOne) -> PostgresIdempotency:
    return PostgresIdempotency(Database(families.app), LEASE)


def _claimed(families: DatabaseOfOne) -> Claim:
    claim = make_claim()
    _keys(families).claim(claim)
    return claim


def _events(families: DatabaseOfOne) -> int:
    ((count,),) = Database(families.app).execute("SELECT count(*) FROM invoice_events")
    return int(count)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_claim_is_ours_all_the_same(families: DatabaseOfOne, loss: Loss) -> None:
    claim = make_claim()

    assert _losing(families, loss).claim(claim) is None

    assert _keys(families).finish(claim, make_invoice())


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_claim_of_a_finished_key_finds_the_invoice(
    families: DatabaseOfOne, loss: Loss
) -> None:
    claim, invoice = _claimed(families), make_invoice()
    _keys(families).finish(claim, invoice)

    assert _losing(families, loss).claim(retry(claim)) == invoice


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_finish_records_one_invoice(families: DatabaseOfOne, loss: Loss) -> None:
    claim, invoice = _claimed(families), make_invoice()

    assert _losing(families, loss).finish(claim, invoice) == invoice

    assert _keys(families).claim(retry(claim)) == invoice
    assert _events(families) == 1


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_finish_of_whoever_was_overtaken_records_nothing(
    families: DatabaseOfOne, loss: Loss
) -> None:
    zombie, invoice = _claimed(families), make_invoice()
    _keys(families).release(zombie)
    _keys(families).claim(retry(zombie))

    with pytest.raises(ClaimOvertaken):
        _losing(families, loss).finish(zombie, invoice)

    with pytest.raises(InvoiceNotFound):
        PostgresInvoices(Database(families.app)).get(FAMILY, invoice.payment_hash)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_release_is_made_up_for(families: DatabaseOfOne, loss: Loss) -> None:
    claim = _claimed(families)

    _losing(families, loss).release(claim)

    assert _keys(families).claim(retry(claim)) is None


def test_a_database_that_stays_away_after_the_commit_has_kept_the_invoice(
    families: DatabaseOfOne,
) -> None:
    claim, invoice = _claimed(families), make_invoice()

    with pytest.raises(StorageUnavailable):
        _losing(families, "late", "never").finish(claim, invoice)
    keys = _losing(families)
    keys.finish(claim, invoice)

    # What the use case does next, and the client after it.
    keys.release(claim)
    assert keys.claim(retry(claim)) == invoice


def test_a_connection_ended_by_the_server_is_opened_again(families: DatabaseOfOne) -> None:
    database, operator = Database(families.app), Database(families.admin)
    keys, claim, invoice = PostgresIdempotency(database, LEASE), make_claim(), make_invoice()
    end = "SELECT pg_terminate_backend(%(pid)s, 5000)"

    steps: list[Callable[[], object]] = [
        lambda: keys.claim(claim),
        lambda: keys.finish(claim, invoice),
        lambda: keys.release(claim),
    ]

    for step in steps:
        ((pid,),) = database.execute("SELECT pg_backend_pid()")
        operator.execute(end, {"pid": pid})
        step()

    assert keys.claim(retry(claim)) == invoice


def test_a_key_whose_invoice_was_deleted_makes_no_other(families: DatabaseOfOne) -> None:
    claim, invoice = _claimed(families), make_invoice()
    _keys(families).finish(claim, invoice)
    Database(families.jobs).execute("DELETE FROM invoices")

    with pytest.raises(InvoiceNotFound):
        _keys(families).claim(retry(claim))
