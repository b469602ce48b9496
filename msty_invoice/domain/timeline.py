"""The life of one invoice, in the order in which we learnt of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from msty_invoice.domain.books import (
    ADOPTED,
    BookedDeposit,
    BookedEvent,
    BookedFinding,
    PastEvent,
)
from msty_invoice.domain.deposit import Verdict
from msty_invoice.domain.invoice import Invoice

# One commit writes a deposit and its line of history, so they are this close.
_SAME = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Dossier:
    """All there is about one invoice.

    `strays` are unfinished webhooks about deposits nobody has read yet, which may or may
    not be this invoice's. `walked_from` is when the newest complete walk had started, and
    `now` the database's clock.
    """

    invoice: Invoice
    key_name: str
    now: datetime
    walked_from: datetime | None
    history: tuple[PastEvent, ...] = ()
    deposits: tuple[BookedDeposit, ...] = ()
    findings: tuple[BookedFinding, ...] = ()
    webhooks: tuple[BookedEvent, ...] = ()
    strays: tuple[BookedEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """`at` is by our clock; `provider_at` is there where the provider's says otherwise."""

    at: datetime
    path: str
    what: str
    provider_at: datetime | None = None


def timeline(dossier: Dossier) -> list[Moment]:
    """Every line of an invoice's life, oldest first."""
    moments = [
        *_history(dossier),
        *_deposits(dossier),
        *_findings(dossier),
        *_webhooks(dossier),
        Moment(dossier.invoice.expires_at, "expiry", _expiry(dossier)),
    ]
    return sorted(moments, key=lambda moment: moment.at)


def _expiry(dossier: Dossier) -> str:
    return "may no longer be paid" if dossier.now < dossier.invoice.expires_at else "expired"


def _history(dossier: Dossier) -> Iterator[Moment]:
    """What the lines of deposits and resolutions say better is left to them."""
    for event in dossier.history:
        told = event.what == "resolved" or any(
            _recorded(deposit, event) for deposit in dossier.deposits
        )
        if not told:
            yield Moment(event.at, event.how, event.what)


def _recorded(deposit: BookedDeposit, event: PastEvent) -> bool:
    """Whether this line of history was written with this deposit."""
    return (event.what, event.how) == (deposit.verdict, deposit.seen_by) and abs(
        event.at - deposit.seen_at
    ) < _SAME


def _deposits(dossier: Dossier) -> Iterator[Moment]:
    for deposit in dossier.deposits:
        differs = abs(deposit.deposited_at - deposit.seen_at) >= _SAME
        provider_at = deposit.deposited_at if differs else None
        what = f"deposit {deposit.deposit_ref} of {deposit.amount_sats} sats"
        if any(_recorded(deposit, event) for event in dossier.history):
            yield Moment(
                deposit.seen_at, deposit.seen_by, f"{what}: {deposit.verdict}", provider_at
            )
        else:  # judged again since, by the path that stands in the history
            yield Moment(deposit.seen_at, "seen", f"{what}: {Verdict.UNKNOWN} then", provider_at)
        if deposit.resolved_at:
            said = f"resolved deposit {deposit.deposit_ref}: {deposit.resolution}"
            yield Moment(deposit.resolved_at, "operator", said)


def _findings(dossier: Dossier) -> Iterator[Moment]:
    for found in dossier.findings:
        if found.what == ADOPTED:
            yield Moment(found.found_at, "adopt", f"rebuilt from the deposit: {found.resolution}")
            continue
        what = f"{found.what} of deposit {found.deposit_ref} is now {found.reported}"
        yield Moment(found.found_at, "provider", f"{what}, in the books {found.recorded}")
        if found.resolved_at:
            yield Moment(found.resolved_at, "operator", f"resolved {found.ref}: {found.resolution}")


def _webhooks(dossier: Dossier) -> Iterator[Moment]:
    for event in dossier.webhooks:
        what = f"webhook {event.id} {event.state} about {event.ref}, {event.copies}×"
        yield Moment(event.received_at, "webhook", f"{what}; {progress(event)}")


def progress(event: BookedEvent) -> str:
    """How far the settler got, in words."""
    tries = f"{event.attempts} attempt{'' if event.attempts == 1 else 's'}"
    if event.done_at:
        return f"done after {tries}"
    if event.parked_at:
        return f"parked after {tries}: {event.outcome}"
    return f"waits after {tries}" + (f": {event.outcome}" if event.outcome else "")
