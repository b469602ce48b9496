"""With a million invoices every statement of settlement reads by index, and little (PG-14)."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from msty_invoice.dev.postgres import PostgresServer
from msty_invoice.domain.deposit import Deposit, DepositState
from msty_invoice.domain.walk import Depth, Walk
from msty_invoice.storage.cursors import PostgresCursors
from msty_invoice.storage.deposits import PostgresDeposits
from msty_invoice.storage.postgres import Database, Row
from msty_invoice.storage.webhooks import PostgresWebhooks
from tests.databases import DatabaseOfOne, admin, empty_database
from tests.storage.settlement.books import make_event
from tests.storage.settlement.filling import fill

pytestmark = pytest.mark.machine

_LARGE = {"invoices", "invoice_events", "deposits", "webhook_events", "open_deposits"}
# Of 8 KiB, for reading. A million invoices fill some 25,000. Matching asks for each of 2,000
# unknown deposits; taking the lease reads what expired in a day.
_FEW_PAGES = 10_000
_FEW_ROWS = 25_000


class ExplainingDatabase(Database):
    """Keeps the plan of each statement, as it went, before it is run in earnest."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn, statement_timeout=120_000)
        self.plans: list[dict[str, Any]] = []

    def execute(self, statement: str, values: Mapping[str, object] | None = None) -> list[Row]:
        explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
        super().execute("BEGIN")
        ((plan,),) = super().execute(explained, values)
        super().execute("ROLLBACK")
        self.plans.append(plan[0]["Plan"])
        return super().execute(statement, values)

    def check(self) -> None:
        """Only indexes, only the part of them that matters."""
        for plan in self.plans:
            reads = [node for node in _nodes(plan) if "Relation Name" in node and _reads(node)]
            whole = [n["Relation Name"] for n in reads if n["Node Type"] == "Seq Scan"]
            assert [name for name in whole if name in _LARGE] == []
            assert sum(map(_pages, reads)) < _FEW_PAGES
            assert sum(map(_rows, reads)) < _FEW_ROWS


def _reads(node: dict[str, Any]) -> bool:
    return bool(node["Node Type"].endswith("Scan"))


def _pages(node: dict[str, Any]) -> int:
    return int(node["Shared Hit Blocks"] + node["Shared Read Blocks"])


def _rows(node: dict[str, Any]) -> float:
    """What it looked at, taken or not."""
    looked_at = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return float(looked_at * node["Actual Loops"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)


@pytest.fixture(scope="module")
def large(postgres_server: PostgresServer, _template: str) -> Iterator[DatabaseOfOne]:
    made = empty_database(postgres_server, _template)
    fill(made)
    yield made
    admin(postgres_server, f"DROP DATABASE {made.name} WITH (FORCE)")


@pytest.fixture(params=["app", "jobs"])
def explaining(
    request: pytest.FixtureRequest, large: DatabaseOfOne
) -> Iterator[ExplainingDatabase]:
    """Fails the test if anything it did reads too much."""
    with closing(ExplainingDatabase(getattr(large, request.param))) as database:
        yield database
        database.check()


@pytest.fixture
def held(explaining: ExplainingDatabase) -> Iterator[PostgresCursors]:
    cursors = PostgresCursors(explaining)
    cursor = cursors.acquire("river")
    assert cursor is not None
    assert cursor.first_issued_at is not None
    assert cursor.oldest_open_at is not None
    yield cursors
    cursors.release("river")


def test_taking_the_lease(held: PostgresCursors) -> None:
    assert held.save("river", Walk(datetime.now(UTC), Depth.HOUR, datetime.now(UTC)))


def test_expiring(held: PostgresCursors, large: DatabaseOfOne) -> None:
    held.complete("river", Walk(datetime.now(UTC), Depth.HOUR, datetime.now(UTC)), None)
    with closing(Database(large.app)) as other:
        other.execute("UPDATE webhook_events SET done_at = now() WHERE done_at IS NULL")

    assert held.expire("river", timedelta(0), 500) == 500


def test_finding_nothing_to_expire(held: PostgresCursors) -> None:
    held.complete("river", Walk(datetime.now(UTC), Depth.HOUR, datetime.now(UTC)), None)

    assert held.expire("river", timedelta(days=1), 500) == 0


def test_measuring_the_clocks(held: PostgresCursors) -> None:
    assert held.issue_skew("river") == timedelta(0)


def test_taking_and_storing_events(explaining: ExplainingDatabase, large: DatabaseOfOne) -> None:
    with closing(Database(large.app)) as other:
        other.execute("UPDATE webhook_events SET done_at = NULL WHERE id % 1000 = 0")
    webhooks = PostgresWebhooks(explaining)
    webhooks.store(make_event("d_1"))
    (event,) = webhooks.take(1)

    assert webhooks.later(event, 0, "later")
    (again,) = webhooks.take(1)
    assert webhooks.done(again, "succeeded")
    assert len(webhooks.take(3)) == 3


def test_asking_about_pending_deposits(explaining: ExplainingDatabase) -> None:
    deposits = PostgresDeposits(explaining)
    due = deposits.due("river", 10)
    assert len(due) == 10

    deposits.close("river", due[0], "succeeded")


def test_matching_what_was_unknown(explaining: ExplainingDatabase) -> None:
    deposits = PostgresDeposits(explaining)
    matchable = deposits.matchable("river", 10)
    assert len(matchable) == 10

    judgement = deposits.judge(matchable[0], "rematch")
    assert judgement is not None
    assert judgement.settled


def test_judging_and_comparing(explaining: ExplainingDatabase, large: DatabaseOfOne) -> None:
    with closing(Database(large.app)) as other:
        (known,) = other.execute(
            "SELECT provider_ref, payment_request FROM invoices WHERE status = 'expired' LIMIT 1"
        )
    deposits = PostgresDeposits(explaining)
    refs = [f"d_unknown_{n}" for n in range(1, 26)]
    assert len(deposits.recorded("river", refs)) == 25

    judgement = deposits.judge(_deposit(*known), "walk")
    assert judgement is not None
    assert judgement.settled


def _deposit(intent_ref: str, payment_request: str) -> Deposit:
    return Deposit(
        provider="river",
        deposit_ref=f"d_of_{intent_ref}",
        intent_ref=intent_ref,
        amount_sats=2500,
        network="LN",
        state=DepositState.SUCCEEDED,
        deposited_at=datetime.now(UTC),
        payment_request=payment_request,
    )
