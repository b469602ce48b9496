"""Five thousand deposits at once, some of one timestamp, and passes that are killed."""

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg2
import psycopg2.extras
import pytest

from msty_invoice.dev.process import Process
from msty_invoice.sandbox.journal import Journal
from msty_invoice.sandbox.records import LN, Deposit, Intent
from msty_invoice.sandbox.signing import Mint
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.postgres import Database
from tests.databases import DatabaseOfOne
from tests.integration.running import RiverStandIn, rows
from tests.integration.settlement.conftest import Operator
from tests.storage.conftest import FAMILY, make_key
from tests.wire.pairs import ACCOUNT_ID, API_KEY

_MANY = 5_000
_SATS = 2500
# Ten to twenty deposits share a timestamp, and a page has 25.
_GRANULARITY_MS = 15
_ROOT = Path(__file__).parents[3]
_PASS = [sys.executable, "-m", "msty_invoice.cli", "reconcile"]
_INVOICE = """
    INSERT INTO invoices (id, key_family, provider, provider_ref, payment_request, payment_hash,
                          amount_sats, issued_at, expires_at) VALUES %s
"""


def _intents(now_ms: int) -> list[Intent]:
    mint = Mint(ACCOUNT_ID)
    made = []
    for number in range(_MANY):
        minted = mint.invoice(_SATS, "", now_ms // 1000, None, None)
        made.append(
            Intent(
                id=f"di_{number}",
                network=LN,
                destination=minted.payment_request,
                timestamp=now_ms + number,
                amount_sats=_SATS,
                label="",
                payment_hash=minted.payment_hash,
                preimage=minted.preimage,
                expires_at_ms=minted.expires_at * 1000,
            )
        )
    return made


def _write_journal(folder: Path, intents: list[Intent]) -> None:
    journal = Journal(folder)
    for number, intent in enumerate(intents):
        paid_ms = intent.timestamp
        deposit = Deposit(f"dep_{number}", intent.id, _SATS, paid_ms, intent.preimage, paid_ms)
        journal.append("intent", intent.__dict__)
        journal.append("deposit", deposit.__dict__)
    journal.close()


def _write_books(database: DatabaseOfOne, intents: list[Intent], issued_at: datetime) -> None:
    with closing(Database(database.app)) as app:
        PostgresKeys(app).add(make_key("shop", FAMILY), b"1" * 32)
    values = [
        (uuid4(), FAMILY, "river", it.id, it.destination, it.payment_hash, _SATS, issued_at,
         issued_at + timedelta(hours=1))
        for it in intents
    ]  # fmt: skip
    with closing(psycopg2.connect(database.admin)) as connection, connection.cursor() as cursor:
        psycopg2.extras.execute_values(cursor, _INVOICE, values, page_size=1000)
        connection.commit()


@pytest.fixture
def backlog(tmp_path: Path, database: DatabaseOfOne) -> Iterator[RiverStandIn]:
    """All of it paid half an hour ago, and none of it told."""
    issued_at = datetime.now(UTC) - timedelta(minutes=30)
    intents = _intents(int(issued_at.timestamp() * 1000))
    _write_journal(tmp_path / "state", intents)
    _write_books(database, intents, issued_at)
    river = RiverStandIn("--state", str(tmp_path / "state"), LIGHTNING_NETWORK="regtest")
    river.faults({"timestamp_granularity_ms": _GRANULARITY_MS})
    yield river
    river.stop()


def _settings(database: DatabaseOfOne, river: RiverStandIn) -> Mapping[str, str]:
    return {
        "DATABASE_URL": database.app,
        "LIGHTNING_PROVIDER": "river",
        "LIGHTNING_NETWORK": "regtest",
        "RIVER_BASE_URL": river.url,
        "RIVER_ACCOUNT_ID": ACCOUNT_ID,
        "RIVER_API_KEY": API_KEY,
    }


def _recorded(database: DatabaseOfOne) -> int:
    count: int = rows(database.admin, "SELECT count(*) FROM deposits")[0][0]
    return count


def _killed_after(operator: Operator, database: DatabaseOfOne, more: int) -> None:
    """A pass that is killed once it has recorded so many more; then its lease ends."""
    wanted = _recorded(database) + more
    passing = Process("reconcile", operator.folder / f"reconcile-{time.monotonic_ns()}.log")
    passing.start(_PASS, operator.settings, _ROOT)
    passing.wait_until(lambda: _recorded(database) >= wanted, 60)
    passing.stop(signal.SIGKILL)
    held = rows(database.admin, "SELECT run_until > clock_timestamp() FROM provider_cursors")
    assert held == [(True,)]
    rows(database.admin, "UPDATE provider_cursors SET run_until = clock_timestamp()")


def test_a_backlog_is_settled_by_passes_that_are_killed_and_none_is_missed_or_doubled(
    tmp_path: Path, database: DatabaseOfOne, backlog: RiverStandIn
) -> None:
    operator = Operator(tmp_path, _settings(database, backlog))
    for more in (1, 700, 1500):
        _killed_after(operator, database, more)
    assert _recorded(database) < _MANY

    operator.run("reconcile")

    verdicts = "SELECT verdict, count(*), sum(amount_sats) FROM deposits GROUP BY verdict"
    assert rows(database.admin, verdicts) == [("credited", _MANY, _MANY * _SATS)]
    statuses = "SELECT status, count(*) FROM invoices GROUP BY status"
    assert rows(database.admin, statuses) == [("settled", _MANY)]
    told = "SELECT count(*) FROM invoice_events WHERE what = 'credited'"
    assert rows(database.admin, told) == [(_MANY,)]
    assert rows(database.admin, "SELECT walk_next, run_token FROM provider_cursors") == [
        (None, None)
    ]
    assert rows(database.admin, "SELECT count(*) FROM deposit_findings") == [(0,)]
