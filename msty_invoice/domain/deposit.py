"""Money that arrived, as the provider reports it and as we judge it. Sats, aware UTC."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

LIGHTNING = "LN"  # the `network` of a deposit that came over Lightning


class DepositState(StrEnum):
    """What the provider says. Only a succeeded one has arrived; a pending one is asked again."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    FAILED = "failed"


class Verdict(StrEnum):
    """What a deposit is to us. At most one is credited for each invoice, by the database."""

    CREDITED = "credited"
    SECOND = "second"
    UNDERPAID = "underpaid"
    ONCHAIN = "onchain"
    MISMATCH = "mismatch"
    TRANSFER = "transfer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Deposit:
    """One deposit as the provider reports it now.

    Of one that is not `readable` only the references count (`unread_deposit`).
    """

    provider: str
    deposit_ref: str
    intent_ref: str
    amount_sats: int
    network: str
    state: DepositState
    deposited_at: datetime
    payment_request: str | None = field(default=None, repr=False)
    proof: str | None = field(default=None, repr=False)
    readable: bool = True


def unread_deposit(provider: str, deposit_ref: str, intent_ref: str) -> Deposit:
    """A deposit that is listed and cannot be read, so that it is asked about by reference.

    `intent_ref` is "" if not even that can be read.
    """
    return Deposit(
        provider=provider,
        deposit_ref=deposit_ref,
        intent_ref=intent_ref,
        amount_sats=0,
        network="",
        state=DepositState.PENDING,
        deposited_at=datetime.fromtimestamp(0, UTC),
        readable=False,
    )


@dataclass(frozen=True, slots=True)
class DepositPage:
    """Some of the provider's deposits, newest first.

    `next_token` goes on where this page ends; None ends the list. `provider_time` is
    the provider's clock when it answered. `unread` are those on it that cannot be read,
    in no order. `gap` means that deposits may be missing: the provider's paging left them
    out between this page and the one before, or one has not even a reference.
    """

    deposits: tuple[Deposit, ...]
    next_token: str | None
    provider_time: datetime | None
    gap: bool = False
    unread: tuple[Deposit, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedDeposit:
    """What stands in our books of a deposit, for comparing with a later report."""

    deposit_ref: str
    intent_ref: str
    amount_sats: int
    network: str
    proof: str | None = field(repr=False)
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """The provider now says of a recorded deposit something else than it did."""

    provider: str
    deposit_ref: str
    what: str
    recorded: str
    reported: str


def findings(recorded: RecordedDeposit, reported: Deposit) -> list[Finding]:
    """Each difference between the books and a later report. It never changes a verdict."""
    pairs = [
        ("amount_sats", str(recorded.amount_sats), str(reported.amount_sats)),
        ("intent_ref", recorded.intent_ref, reported.intent_ref),
        ("network", recorded.network, reported.network),
        # A proof may come later; one that changes is another matter.
        ("proof", recorded.proof or reported.proof or "", reported.proof or ""),
        ("state", DepositState.SUCCEEDED, reported.state),
    ]
    return [
        Finding(reported.provider, reported.deposit_ref, what, was, now)
        for what, was, now in pairs
        if was != now
    ]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What judging a deposit came to. `proved`: its proof is the preimage of the invoice."""

    verdict: Verdict
    proved: bool
    settled: bool
