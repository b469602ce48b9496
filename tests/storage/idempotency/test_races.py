"""Many requests with one key at the same moment."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from msty_invoice.domain.errors import ClaimOvertaken, IdempotencyConflict, IdempotencyMismatch
from msty_invoice.domain.idempotency import Claim
from msty_invoice.domain.invoice import Invoice
from msty_invoice.storage.idempotency import PostgresIdempotency
from msty_invoice.storage.postgres import Database
from tests.databases import DatabaseOfOne
from tests.storage.conftest import make_invoice
from tests.storage.idempotency.claims import OTHER_ORDER, make_claim, retry
from tests.storage.idempotency.conftest import LEASE

RACERS = 12
ROUNDS = 15

Race = Callable[[PostgresIdempotency, Claim], str]


@pytest.fixture(params=["families", "families_15"])
def server(request: pytest.FixtureRequest) -> DatabaseOfOne:
    made: DatabaseOfOne = request.getfixturevalue(request.param)
    return made


def _run(server: DatabaseOfOne, race: Race, claims: list[list[Claim]]) -> list[Counter[str]]:
    """Each round's claims at once, one a racer with a connection of its own."""
    barrier = Barrier(RACERS, timeout=30)

    def racer(number: int) -> list[str]:
        database = Database(server.app)
        keys = PostgresIdempotency(database, LEASE)
        ended = []
        for round_ in claims:
            barrier.wait()
            ended.append(race(keys, round_[number]))
        database.close()
        return ended

    with ThreadPoolExecutor(RACERS) as pool:
        by_racer = list(pool.map(racer, range(RACERS)))
    return [Counter(round_) for round_ in zip(*by_racer, strict=True)]


def _claim(keys: PostgresIdempotency, claim: Claim) -> str:
    try:
        return "mine" if keys.claim(claim) is None else "done"
    except (IdempotencyConflict, IdempotencyMismatch) as exc:
        return type(exc).__name__


def _claim_and_finish(keys: PostgresIdempotency, claim: Claim) -> str:
    if (ended := _claim(keys, claim)) == "mine":
        keys.finish(claim, make_invoice())
    return ended


def _invoices(server: DatabaseOfOne) -> int:
    ((count,),) = Database(server.app).execute("SELECT count(*) FROM invoices")
    return int(count)


def _rivals(first: Claim) -> list[Claim]:
    return [retry(first) for _ in range(RACERS)]


def test_one_of_many_gets_a_new_key(server: DatabaseOfOne) -> None:
    claims = [_rivals(make_claim(f"order-{n}")) for n in range(ROUNDS)]

    for ended in _run(server, _claim, claims):
        assert ended == {"mine": 1, "IdempotencyConflict": RACERS - 1}


def test_one_of_many_makes_the_invoice_and_the_others_may_see_it(server: DatabaseOfOne) -> None:
    claims = [_rivals(make_claim(f"order-{n}")) for n in range(ROUNDS)]

    for ended in _run(server, _claim_and_finish, claims):
        assert ended["mine"] == 1
        assert set(ended) <= {"mine", "done", "IdempotencyConflict"}
    assert _invoices(server) == ROUNDS


def test_one_of_many_takes_a_released_key_whatever_was_ordered_before(
    server: DatabaseOfOne,
) -> None:
    keys = PostgresIdempotency(Database(server.app), LEASE)
    claims = []
    for n in range(ROUNDS):
        failed = make_claim(f"order-{n}", order=OTHER_ORDER)
        keys.claim(failed)
        keys.release(failed)
        claims.append(_rivals(make_claim(f"order-{n}")))

    for ended in _run(server, _claim, claims):
        assert ended == {"mine": 1, "IdempotencyConflict": RACERS - 1}


def test_a_key_that_all_take_over_from_each_other_makes_one_invoice(
    server: DatabaseOfOne,
) -> None:
    def overtaking(_: PostgresIdempotency, claim: Claim) -> str:
        # As if every worker were stopped for longer than the lease, at any moment.
        keys = PostgresIdempotency(Database(server.app), timedelta(0))
        try:
            made: Invoice | None = keys.claim(claim)
            if made is None:
                keys.finish(claim, make_invoice())
                return "mine"
        except (ClaimOvertaken, IdempotencyConflict) as exc:
            return type(exc).__name__
        return "done"

    claims = [_rivals(make_claim(f"order-{n}")) for n in range(ROUNDS)]

    for ended in _run(server, overtaking, claims):
        assert ended["mine"] == 1
    assert _invoices(server) == ROUNDS
