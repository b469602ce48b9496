"""Dossiers to be told about, with NOON as the moment in which the invoice was made."""

from datetime import datetime, timedelta
from uuid import UUID

from msty_invoice.domain.books import BookedDeposit, BookedEvent, BookedFinding, PastEvent
from msty_invoice.domain.deposit import Verdict
from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from msty_invoice.domain.timeline import Dossier
from tests.fakes import NOON
from tests.storage.conftest import make_invoice

GRACE = timedelta(minutes=5)


def at(**later: int) -> datetime:
    """So much after NOON."""
    return NOON + timedelta(**later)


def deposit(verdict: Verdict, **changes: object) -> BookedDeposit:
    """Paid a minute after NOON, and learnt by webhook two seconds later."""
    fields: dict[str, object] = {
        "provider": "river",
        "deposit_ref": "dep_1",
        "intent_ref": "di_1",
        "payment_request": "lnbcrt1",
        "amount_sats": 2500,
        "network": "LN",
        "proof": None,
        "deposited_at": at(minutes=1),
        "verdict": verdict,
        "invoice_id": UUID(int=7),
        "seen_by": "webhook",
        "seen_at": at(minutes=1, seconds=2),
        "resolved_at": None,
        "resolution": None,
    }
    return BookedDeposit(**fields | changes)  # type: ignore[arg-type]


def finding(**changes: object) -> BookedFinding:
    fields: dict[str, object] = {
        "id": 12,
        "provider": "river",
        "deposit_ref": "dep_1",
        "what": "amount_sats",
        "recorded": "2500",
        "reported": "2400",
        "found_at": at(minutes=9),
        "resolved_at": None,
        "resolution": None,
    }
    return BookedFinding(**fields | changes)  # type: ignore[arg-type]


def event(**changes: object) -> BookedEvent:
    """A webhook that waits for its fourth attempt."""
    fields: dict[str, object] = {
        "id": 5,
        "provider": "river",
        "type": "DEPOSIT",
        "ref": "dep_1",
        "state": "SUCCESS",
        "received_at": at(minutes=1),
        "copies": 1,
        "last_received_at": at(minutes=1),
        "attempts": 3,
        "next_attempt_at": at(minutes=3),
        "done_at": None,
        "parked_at": None,
        "outcome": "no such deposit",
    }
    return BookedEvent(**fields | changes)  # type: ignore[arg-type]


def settled_invoice(**changes: object) -> Invoice:
    fields: dict[str, object] = {
        "status": InvoiceStatus.SETTLED,
        "settled_at": at(minutes=1),
        "amount_received_sats": 2500,
    }
    return make_invoice(**fields | changes)


def dossier(invoice: Invoice | None = None, **changes: object) -> Dossier:
    """Two minutes after the invoice was made, and walked a minute ago."""
    fields: dict[str, object] = {
        "invoice": invoice or make_invoice(),
        "key_name": "shop",
        "now": at(minutes=2),
        "walked_from": at(minutes=1),
        "history": (PastEvent("created", "api", NOON),),
    }
    return Dossier(**fields | changes)  # type: ignore[arg-type]


def settled(**changes: object) -> Dossier:
    """Paid in time, and nothing besides."""
    known: dict[str, object] = {"deposits": (deposit(Verdict.CREDITED),)}
    return dossier(settled_invoice(), **known | changes)
