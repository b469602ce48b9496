"""What stands in the books, with all its evidence, for those who operate the service."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from msty_invoice.domain.deposit import Verdict

# Of a finding that notes why an invoice was rebuilt; the rest are the provider's words.
ADOPTED = "adopted"
# A deposit under dispute is not credited on facts that the provider has since changed.
DISPUTES = frozenset({"amount_sats", "intent_ref", "network", "state"})


@dataclass(frozen=True, slots=True)
class BookedDeposit:
    """A deposit with its verdict. `deposited_at` is by the provider's clock, the rest by ours."""

    provider: str
    deposit_ref: str
    intent_ref: str
    payment_request: str | None = field(repr=False)
    amount_sats: int
    network: str
    proof: str | None = field(repr=False)
    deposited_at: datetime
    verdict: Verdict
    invoice_id: UUID | None
    seen_by: str
    seen_at: datetime
    resolved_at: datetime | None
    resolution: str | None

    @property
    def waits(self) -> bool:
        """Whether somebody must still look at it."""
        settled = (Verdict.CREDITED, Verdict.TRANSFER)
        return self.resolved_at is None and self.verdict not in settled


@dataclass(frozen=True, slots=True)
class BookedFinding:
    """What the provider said of a recorded deposit otherwise than before."""

    id: int
    provider: str
    deposit_ref: str
    what: str
    recorded: str
    reported: str
    found_at: datetime
    resolved_at: datetime | None
    resolution: str | None

    @property
    def ref(self) -> str:
        """How an operator names it."""
        return f"finding:{self.id}"


@dataclass(frozen=True, slots=True)
class BookedEvent:
    """A webhook, and how far the settler got with it."""

    id: int
    provider: str
    type: str
    ref: str
    state: str
    received_at: datetime
    copies: int
    last_received_at: datetime
    attempts: int
    next_attempt_at: datetime
    done_at: datetime | None
    parked_at: datetime | None
    outcome: str | None

    @property
    def waits(self) -> bool:
        """Neither done nor given up."""
        return self.done_at is None and self.parked_at is None


@dataclass(frozen=True, slots=True)
class PastEvent:
    """A line of an invoice's history: what, by which path, and when we learnt it."""

    what: str
    how: str
    at: datetime
