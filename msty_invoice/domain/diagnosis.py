"""One sentence saying what is wrong with an invoice, and what to type."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msty_invoice.domain.books import ADOPTED, BookedDeposit, BookedEvent
from msty_invoice.domain.deposit import Verdict
from msty_invoice.domain.invoice import InvoiceStatus
from msty_invoice.domain.timeline import Dossier

# A pass runs every minute: this long after grace, somebody has missed one or two.
_PATIENCE = timedelta(minutes=3)


def diagnosis(dossier: Dossier, grace: timedelta) -> str | None:
    """What is wrong, the gravest thing first; None if nothing is."""
    found = (
        _broken(dossier)
        or _finding(dossier)
        or _quarantined(dossier)
        or _overdue(dossier, grace)
        or _stray(dossier)
        or _waiting(dossier)
    )
    return found or None


def all_well(dossier: Dossier) -> str:
    """What to say where nothing is wrong."""
    invoice = dossier.invoice
    if invoice.status is InvoiceStatus.SETTLED:
        late = ", after it had expired" if invoice.late else ""
        return f"Nothing is wrong: it was paid{late}."
    if invoice.status is InvoiceStatus.EXPIRED:
        return "Nothing is wrong: it was not paid in time. A payment would still settle it."
    if dossier.now > invoice.expires_at:
        return "Nothing is wrong: it is past its expiry, and still being checked."
    return f"Nothing is wrong: it can be paid until {utc(invoice.expires_at)}."


def utc(at: datetime) -> str:
    """An instant in UTC, to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%SZ")


def _broken(dossier: Dossier) -> str:
    """What the database forbids; still, this is the place where it would show."""
    credited = [d for d in dossier.deposits if d.verdict is Verdict.CREDITED]
    settled = dossier.invoice.status is InvoiceStatus.SETTLED
    if settled == (len(credited) == 1) and len(credited) < 2:
        return ""
    return (
        f"The books contradict themselves: {dossier.invoice.status} with {len(credited)} credited"
        " deposits. Touch nothing, keep a backup, and report it as a bug."
    )


def _finding(dossier: Dossier) -> str:
    for found in dossier.findings:
        if found.resolved_at is None and found.what != ADOPTED:
            return (
                f"The provider now says {found.what} {found.reported or '(nothing)'} of a deposit"
                f" that stands in the books with {found.recorded}: ask the provider, then see"
                f" msty-invoice quarantine show {found.ref}"
            )
    return ""


def _quarantined(dossier: Dossier) -> str:
    for deposit in dossier.deposits:
        if deposit.waits:
            see = f"msty-invoice quarantine show {deposit.deposit_ref}"
            return f"{_SAYS[deposit.verdict](dossier, deposit)}: {see}"
    return ""


def _underpaid(dossier: Dossier, deposit: BookedDeposit) -> str:
    missing = dossier.invoice.amount_sats - deposit.amount_sats
    return (
        f"Paid {sats(missing)} too little on {utc(deposit.deposited_at)}:"
        " refund the payer or resolve it"
    )


def _second(dossier: Dossier, deposit: BookedDeposit) -> str:
    return (
        f"Paid again on {utc(deposit.deposited_at)}, {sats(deposit.amount_sats)}:"
        " refund the payer or resolve it"
    )


def _onchain(dossier: Dossier, deposit: BookedDeposit) -> str:
    return (
        f"{sats(deposit.amount_sats)} came on-chain on {utc(deposit.deposited_at)} and settle"
        " nothing: refund the payer or resolve it"
    )


def _mismatch(dossier: Dossier, deposit: BookedDeposit) -> str:
    return (
        f"A deposit of {sats(deposit.amount_sats)} names this invoice, but its BOLT11 or proof is"
        " another's: ask the provider, then resolve it"
    )


_SAYS: dict[Verdict, Callable[[Dossier, BookedDeposit], str]] = {
    Verdict.UNDERPAID: _underpaid,
    Verdict.SECOND: _second,
    Verdict.ONCHAIN: _onchain,
    Verdict.MISMATCH: _mismatch,
}


def sats(amount: int) -> str:
    """An amount in words."""
    return f"{amount:,} sat{'' if amount == 1 else 's'}"


def _overdue(dossier: Dossier, grace: timedelta) -> str:
    """Design §4.7 lets it expire by now, so what holds it?"""
    invoice, due = dossier.invoice, dossier.invoice.expires_at + grace
    if invoice.status is not InvoiceStatus.PENDING or dossier.now < due + _PATIENCE:
        return ""
    walked = dossier.walked_from
    if walked is None:
        return (
            "Past expiry and still pending: no walk over the provider's list was ever completed,"
            " run msty-invoice reconcile"
        )
    if walked < due:
        return (
            f"Past expiry and still pending: the last complete walk started {utc(walked)}, before"
            f" expiry and grace ({utc(due)}), run msty-invoice reconcile"
        )
    if held := [event for event in dossier.strays if event.waits and event.received_at < walked]:
        return f"Past expiry and still pending, held back: {_may_be(held[0], dossier.now)}"
    return (
        "Past expiry and still pending although a walk since then was complete: clocks may"
        " disagree, run msty-invoice reconcile and read what it logs"
    )


def _stray(dossier: Dossier) -> str:
    if dossier.invoice.status is InvoiceStatus.SETTLED or not dossier.strays:
        return ""
    return _may_be(dossier.strays[0], dossier.now)


def _may_be(event: BookedEvent, now: datetime) -> str:
    of = f"A webhook that may be about it (deposit {event.ref})"
    if event.parked_at:
        return f"{of} was parked, {event.outcome}: msty-invoice webhooks replay {event.id}"
    return f"{of} waits: {_next_attempt(event, now)}"


def _waiting(dossier: Dossier) -> str:
    """A settled invoice lacks nothing: what is asked again only confirms it."""
    if dossier.invoice.status is InvoiceStatus.SETTLED:
        return ""
    for event in dossier.webhooks:
        if event.parked_at:
            return (
                f"A webhook about it was parked, {event.outcome}:"
                f" msty-invoice webhooks replay {event.id}"
            )
        if event.waits:
            return f"A webhook about it waits: {_next_attempt(event, dossier.now)}"
    return ""


def _next_attempt(event: BookedEvent, now: datetime) -> str:
    told = f" ({event.outcome})" if event.outcome else ""
    if event.attempts == 0 and event.next_attempt_at <= now:
        return "nobody has tried yet, is the settler running?"
    return f"attempt {event.attempts + 1}, next at {utc(event.next_attempt_at)}{told}"
