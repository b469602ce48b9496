"""One set of books: the three stores of settlement on the same invoices, real or in memory."""

from abc import ABC, abstractmethod
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import psycopg2

from msty_invoice.domain.deposit import LIGHTNING, Deposit, DepositState, Verdict
from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from msty_invoice.domain.webhook import DEPOSIT, SUCCESS, WebhookEvent
from msty_invoice.service.ports import InvoiceStore
from msty_invoice.service.settlement_ports import CursorStore, DepositStore, WebhookStore
from msty_invoice.storage.cursors import PostgresCursors
from msty_invoice.storage.deposits import PostgresDeposits
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.webhooks import PostgresWebhooks
from tests.databases import DatabaseOfOne
from tests.fakes import NOON, Clock, MemoryInvoices
from tests.settlement_fakes import MemoryCursors, MemoryDeposits, MemoryWebhooks
from tests.storage.conftest import FAMILY, make_invoice

PREIMAGE = "0a" * 32
PAYMENT_HASH = sha256(bytes.fromhex(PREIMAGE)).hexdigest()
LEASE = timedelta(seconds=90)


def make_deposit(invoice: Invoice, **changes: object) -> Deposit:
    """The payment of an invoice a minute after NOON, as the provider reports it."""
    fields: dict[str, object] = {
        "provider": invoice.provider,
        "deposit_ref": f"d_{uuid4().hex}",
        "intent_ref": invoice.provider_ref,
        "amount_sats": invoice.amount_sats,
        "network": LIGHTNING,
        "state": DepositState.SUCCEEDED,
        "deposited_at": NOON + timedelta(minutes=1),
        "payment_request": invoice.payment_request,
        "proof": None,
    }
    return Deposit(**fields | changes)  # type: ignore[arg-type]


def make_event(ref: str = "d_1", **changes: object) -> WebhookEvent:
    fields: dict[str, object] = {
        "provider": "river",
        "type": DEPOSIT,
        "ref": ref,
        "state": SUCCESS,
        "body": b'{"id": "%s"}' % ref.encode(),
    }
    return WebhookEvent(**fields | changes)  # type: ignore[arg-type]


class Books(ABC):
    """`other_…` are another machine's, on the same rows."""

    invoices: InvoiceStore
    deposits: DepositStore
    demanding: DepositStore  # demands a proof
    webhooks: WebhookStore
    other_webhooks: WebhookStore
    cursors: CursorStore
    other_cursors: CursorStore

    def add(self, **changes: object) -> Invoice:
        return self.invoices.add(make_invoice(**changes))

    def seen(self, invoice: Invoice) -> Invoice:
        """The invoice as it stands now, but for when that was written."""
        return self.invoices.get(FAMILY, invoice.payment_hash)

    @abstractmethod
    def told(self, invoice: Invoice) -> list[tuple[str, str]]:
        """The history of an invoice after it was made: what, how."""

    @abstractmethod
    def expire(self, invoice: Invoice) -> None:
        """Let it be expired, as a walk would."""

    @abstractmethod
    def resolve(self, deposit: Deposit) -> None:
        """Let an operator have dealt with it."""

    @abstractmethod
    def verdict_of(self, deposit: Deposit) -> Verdict | None: ...

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Let so much time go by, for events, cursors and pending deposits."""


class MemoryBooks(Books):
    def __init__(self) -> None:
        self.clock = Clock()
        self.invoices = invoices = MemoryInvoices()
        self.deposits = deposits = MemoryDeposits(invoices, self.clock)
        self.demanding = demanding = MemoryDeposits(invoices, self.clock, proof_demanded=True)
        demanding.kept, demanding.history = deposits.kept, deposits.history
        demanding.resolved = deposits.resolved
        self.webhooks = webhooks = MemoryWebhooks(self.clock)
        self.other_webhooks = MemoryWebhooks(self.clock, kept=webhooks.kept)
        self.cursors = cursors = MemoryCursors(
            invoices, webhooks, self.clock, pending=deposits.pending
        )
        self.other_cursors = MemoryCursors(
            invoices, webhooks, self.clock, kept=cursors.kept, pending=deposits.pending
        )
        self._deposits, self._cursors, self._kept = deposits, cursors, invoices.kept

    def told(self, invoice: Invoice) -> list[tuple[str, str]]:
        history = [(what, how) for i, what, how in self._deposits.history if i == invoice.id]
        return history + [("expired", "walk")] * self._cursors.expired.count(invoice.id)

    def expire(self, invoice: Invoice) -> None:
        self._kept[invoice.id] = replace(invoice, status=InvoiceStatus.EXPIRED)

    def resolve(self, deposit: Deposit) -> None:
        self._deposits.resolved.add((deposit.provider, deposit.deposit_ref))

    def verdict_of(self, deposit: Deposit) -> Verdict | None:
        judged = self._deposits.kept.get((deposit.provider, deposit.deposit_ref))
        return judged.verdict if judged else None

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)


# Every instant that a lease, a pause or an age is counted from.
_LATER = """
    UPDATE webhook_events
    SET received_at = received_at - %(by)s, opened_at = opened_at - %(by)s,
        next_attempt_at = next_attempt_at - %(by)s, lease_until = lease_until - %(by)s;
    UPDATE open_deposits SET next_ask_at = next_ask_at - %(by)s;
    UPDATE provider_cursors SET run_until = run_until - %(by)s;
"""


@dataclass
class Told:
    """What the database holds, asked by its administrator."""

    database: DatabaseOfOne

    def ask(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.database.admin)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []


class PostgresBooks(Books):
    def __init__(self, database: DatabaseOfOne) -> None:
        self.database = database
        app = patient(database.app)
        self.app = app
        self.invoices = PostgresInvoices(app)
        self.deposits = PostgresDeposits(app)
        self.demanding = PostgresDeposits(app, proving={"river"})
        self.webhooks = PostgresWebhooks(app)
        self.other_webhooks = PostgresWebhooks(app)
        self.cursors = PostgresCursors(app, LEASE)
        self.other_cursors = PostgresCursors(app, LEASE)

    def ask(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        return Told(self.database).ask(statement, **values)

    def told(self, invoice: Invoice) -> list[tuple[str, str]]:
        return [
            (what, how)
            for what, how in self.ask(
                "SELECT what, how FROM invoice_events"
                " WHERE invoice_id = %(id)s AND what <> 'created' ORDER BY id",
                id=invoice.id,
            )
        ]

    def expire(self, invoice: Invoice) -> None:
        self.ask("UPDATE invoices SET status = 'expired' WHERE id = %(id)s", id=invoice.id)

    def resolve(self, deposit: Deposit) -> None:
        self.ask(
            "UPDATE deposits SET resolved_at = now(), resolution = 'refunded'"
            " WHERE provider = %(p)s AND deposit_ref = %(d)s",
            p=deposit.provider,
            d=deposit.deposit_ref,
        )

    def verdict_of(self, deposit: Deposit) -> Verdict | None:
        rows = self.ask(
            "SELECT verdict FROM deposits WHERE provider = %(p)s AND deposit_ref = %(d)s",
            p=deposit.provider,
            d=deposit.deposit_ref,
        )
        return Verdict(rows[0][0]) if rows else None

    def wait(self, seconds: float) -> None:
        self.ask(_LATER, by=timedelta(seconds=seconds))


def patient(dsn: str) -> Database:
    """One that a busy machine does not make give up."""
    return Database(dsn, statement_timeout=60_000, lock_timeout=20_000)


def soundness(books: PostgresBooks) -> list[str]:
    """What of the money rules does not hold (operations I3–I5); empty if all is well."""
    checks = {
        "a settled invoice without exactly one credited deposit": """
            SELECT i.id FROM invoices i WHERE (i.status = 'settled') <> (1 = (
                SELECT count(*) FROM deposits d
                WHERE d.invoice_id = i.id AND d.verdict = 'credited'
                  AND d.amount_sats = i.amount_received_sats
                  AND d.deposited_at = i.settled_at))""",
        "a settlement told more or less than once": """
            SELECT i.id FROM invoices i WHERE (i.status = 'settled')::int <> (
                SELECT count(*) FROM invoice_events e
                WHERE e.invoice_id = i.id AND e.what = 'credited')""",
    }
    return [what for what, query in checks.items() if books.ask(query)]


def at(minutes: float = 0, microseconds: int = 0) -> datetime:
    """So long after NOON, by whichever clock the test is about."""
    return NOON + timedelta(minutes=minutes, microseconds=microseconds)
