"""Everything that one case of the matrix has: books, River, a folder, and what clients saw."""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from msty_invoice.domain.invoice import Invoice
from msty_invoice.domain.webhook import WebhookEvent
from msty_invoice.lightning import bolt11
from msty_invoice.sandbox.signature import HEADER, SignatureForm
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.postgres import Database, Row
from msty_invoice.storage.webhooks import PostgresWebhooks
from tests.databases import DatabaseOfOne
from tests.integration.crashes import children, processes
from tests.integration.crashes.processes import Outcome, Well
from tests.integration.running import ORDER, RiverStandIn
from tests.integration.sandbox.listeners import Listener
from tests.storage.conftest import make_invoice

CREATE = "/api/lightning/create-invoice"
WEBHOOKS = "/api/lightning/webhooks/river"
ONE_DEPOSIT = "GET /accounts/{account_id}/deposits/{id}"
SECRET = "5e" * 32

# What would come about by waiting, without the wait: every lease and every pause is over.
_LATER = """
    UPDATE webhook_events
    SET lease_until = lease_until - interval '2 h',
        next_attempt_at = next_attempt_at - interval '2 h',
        opened_at = opened_at - interval '2 h';
    UPDATE provider_cursors SET run_until = run_until - interval '2 h';
    UPDATE open_deposits SET next_ask_at = next_ask_at - interval '2 h';
    UPDATE idempotency_keys SET claimed_at = claimed_at - interval '2 h'
    WHERE invoice_id IS NULL;
"""


@dataclass(frozen=True)
class Shown:
    """An invoice that a client saw, and the Idempotency-Key it had asked with."""

    payment_hash: str
    payment_request: str
    key: str | None


@dataclass
class World:
    """`failpoints` is for the processes started from now on; `told` hears River's webhooks."""

    database: DatabaseOfOne
    admin: Database
    app: Database
    well: Well
    river: RiverStandIn
    told: Listener
    folder: Path
    settings: dict[str, str]
    family: UUID
    api_key: str
    failpoints: str = ""
    shown: list[Shown] = field(default_factory=list)

    def run(self, work: children.Work, *args: str, **settings: str) -> Outcome:
        settings = self.settings | settings
        if not self.failpoints:
            return self.well.run(settings, self.log, work, *args)
        settings |= {"MSTY_FAILPOINTS": self.failpoints}
        return processes.run(settings, self.log, work, *args)

    def command(self, *arguments: str, **settings: str) -> Outcome:
        return self.run(children.command, *arguments, **settings)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def said(self) -> str:
        """What all processes have said."""
        return self.log.read_text("utf-8")

    def order(self, key: str | None = None) -> Outcome:
        """Ask for an invoice, and note what is shown."""
        outcome = self.post(CREATE, json.dumps(ORDER), **_named("Idempotency-Key", key))
        if outcome.told and outcome.told[0] == 201:
            made = json.loads(outcome.told[1])
            self.shown.append(Shown(made["paymentHash"], made["paymentRequest"], key))
        return outcome

    def post(self, path: str, body: str, **headers: str) -> Outcome:
        return self.ask("POST", path, body, **headers)

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> Outcome:
        """One request of the shop."""
        known = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        work = _Request(known | headers)
        return self.run(work, method, path, body)

    def deliver(self, deposit_ref: str) -> Outcome:
        """River's webhook about a deposit."""
        body = json.dumps({"id": deposit_ref, "type": "DEPOSIT", "state": "SUCCESS"})
        signature = SignatureForm().header(body.encode(), SECRET, int(time.time() * 1000))
        return self.post(WEBHOOKS, body, **{HEADER: signature})

    def issue(self, **changes: object) -> Invoice:
        """An invoice that River made and we recorded, some time before the case begins."""
        return self.record(self.river.create(), **changes)

    def record(self, intent: Any, **changes: object) -> Invoice:
        """The invoice of an intent, in the books."""
        read = bolt11.decode(intent["destination"])
        now = datetime.now(UTC)
        known: dict[str, object] = {
            "key_family": self.family,
            "provider_ref": intent["id"],
            "payment_request": intent["destination"],
            "payment_hash": read.payment_hash,
            "issued_at": now,
            "expires_at": now + timedelta(hours=1),
            "created_at": now,
            "updated_at": now,
        }
        invoice = make_invoice(**known | changes)
        return PostgresInvoices(self.app).add(invoice)

    def pay(self, payment_request: str, **more: Any) -> str:
        """The deposit's reference."""
        body = {"payment_request": payment_request, **more}
        return str(self.river.ask("POST", "/_sandbox/pay", json=body)["deposit"])

    def announce(self, deposit_ref: str) -> None:
        """A webhook that was stored before the case begins."""
        event = WebhookEvent("river", "DEPOSIT", deposit_ref, "SUCCESS", deposit_ref.encode())
        PostgresWebhooks(self.app).store(event)

    def books(self, statement: str, **values: object) -> list[Row]:
        """As the administrator."""
        return self.admin.execute(statement, values or None)

    def let_time_pass(self) -> None:
        self.books(_LATER)

    def come_to_rest(self) -> Outcome:
        return self.run(children.rest)


@dataclass(frozen=True)
class _Request:
    """A request with these headers, for a child."""

    headers: dict[str, str]

    def __call__(self, method: str, path: str, body: str) -> tuple[int, str]:
        return children.request(method, path, body, **self.headers)


def _named(name: str, value: str | None) -> dict[str, str]:
    return {} if value is None else {name: value}
