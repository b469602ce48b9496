"""What waits for somebody to decide: shown with its evidence, resolved with a reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from msty_invoice.domain.books import BookedDeposit, BookedEvent, BookedFinding
from msty_invoice.domain.deposit import Verdict
from msty_invoice.domain.errors import DepositNotFound, NotResolvable
from msty_invoice.service.operator_ports import QuarantineStore

_FINDING = re.compile(r"finding:([0-9]{1,18})")
_ELSE = "msty-invoice quarantine list --all shows every reference"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A deposit with all that was said of it. `finding` is there if that was asked for."""

    deposit: BookedDeposit
    findings: Sequence[BookedFinding]
    events: Sequence[BookedEvent]
    finding: BookedFinding | None = None

    @property
    def ref(self) -> str:
        """How an operator names it."""
        return self.finding.ref if self.finding else self.deposit.deposit_ref


class Quarantine:
    """For those who operate the service."""

    def __init__(self, store: QuarantineStore) -> None:
        self._store = store

    def list(self, *, all_of_them: bool) -> tuple[Sequence[BookedDeposit], Sequence[BookedFinding]]:
        """What waits, oldest first; with `all_of_them` what was resolved, too."""
        return (
            self._store.deposits(resolved_too=all_of_them),
            self._store.findings(resolved_too=all_of_them),
        )

    def find(self, ref: str) -> Evidence:
        """A deposit by its reference, or `finding:ID`. Raises `DepositNotFound`."""
        if number := _FINDING.fullmatch(ref):
            found = self._store.find_finding(int(number[1]))
            if found is None:
                raise DepositNotFound(f"there is no {ref}; {_ELSE}")
            return replace(self._find(f"{found.provider}:{found.deposit_ref}"), finding=found)
        return self._find(ref)

    def resolve(self, evidence: Evidence, reason: str) -> Evidence:
        """Keep the reason, once. Raises `NotResolvable` if there is nothing to resolve."""
        ensure_open(evidence)
        if evidence.finding:
            self._store.resolve_finding(evidence.finding, reason)
        else:
            self._store.resolve_deposit(evidence.deposit, reason)
        return self._ensure_kept(self.find(evidence.ref), reason)

    def _ensure_kept(self, now: Evidence, reason: str) -> Evidence:
        """Somebody else may have been quicker, with another reason."""
        kept = (now.finding or now.deposit).resolution
        if kept != reason:
            raise NotResolvable(f"{now.ref} changed meanwhile: msty-invoice quarantine show")
        return now

    def _find(self, ref: str) -> Evidence:
        found = self._store.find_deposits(ref)
        if not found:
            raise DepositNotFound(f"there is no deposit {ref}; {_ELSE}")
        if len(found) > 1:
            names = " or ".join(f"{deposit.provider}:{ref}" for deposit in found)
            raise DepositNotFound(f"more than one provider has a deposit {ref}: write {names}")
        return Evidence(
            found[0], self._store.findings_of(found[0]), self._store.events_of(found[0])
        )


def ensure_open(evidence: Evidence) -> None:
    """Raises `NotResolvable`, saying what was decided before."""
    subject = evidence.finding or evidence.deposit
    if subject.resolved_at:
        raise NotResolvable(
            f"{evidence.ref} was resolved on {subject.resolved_at:%Y-%m-%d %H:%M:%SZ}:"
            f" {subject.resolution}"
        )
    if not evidence.finding and evidence.deposit.verdict in (Verdict.CREDITED, Verdict.TRANSFER):
        raise NotResolvable(
            f"deposit {evidence.ref} is {evidence.deposit.verdict}: there is nothing to resolve."
            " A finding about it is named finding:ID"
        )
