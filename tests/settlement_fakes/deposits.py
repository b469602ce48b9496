"""The books of deposits, in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from msty_invoice.domain.deposit import (
    LIGHTNING,
    Deposit,
    Finding,
    Judgement,
    RecordedDeposit,
    Verdict,
)
from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from tests.fakes import Clock, MemoryInvoices

# A deposit under dispute is not credited on facts that the provider has since changed.
_DISPUTES = {"amount_sats", "intent_ref", "network", "state"}


@dataclass
class JudgedDeposit:
    """What stands in the books. `invoice_id` is None while it is unknown."""

    deposit: Deposit
    verdict: Verdict
    how: str
    invoice_id: UUID | None


@dataclass
class OpenDeposit:
    """A deposit that is asked again. `outcome` is None while it is pending."""

    next_ask_at: datetime
    intent_ref: str = ""
    asked: int = 0
    outcome: str | None = None


class MemoryDeposits:
    """Keeps to `settlement_ports.DepositStore`."""

    def __init__(
        self, invoices: MemoryInvoices, clock: Clock, *, proof_demanded: bool = False
    ) -> None:
        self.kept: dict[tuple[str, str], JudgedDeposit] = {}
        self.findings: list[Finding] = []
        self.resolved: set[tuple[str, str]] = set()  # what an operator has dealt with
        self.history: list[tuple[UUID, str, str]] = []  # invoice, what, how
        self.pending: dict[tuple[str, str], OpenDeposit] = {}
        self._invoices = invoices
        self._clock = clock
        self._proof_demanded = proof_demanded

    def judge(self, deposit: Deposit, how: str) -> Judgement | None:
        key = (deposit.provider, deposit.deposit_ref)
        invoice = self._invoice(deposit)
        verdict = self._verdict(deposit, invoice)
        before = self.kept.get(key)
        if before and not (
            before.verdict is Verdict.UNKNOWN
            and key not in self.resolved
            and verdict is not Verdict.UNKNOWN
            and _facts(before.deposit) == _facts(deposit)
        ):
            return None
        recorded = (
            replace(before.deposit, proof=before.deposit.proof or deposit.proof)
            if (before)
            else deposit
        )
        self.kept[key] = JudgedDeposit(recorded, verdict, how, invoice.id if invoice else None)
        if invoice is None:
            return Judgement(verdict, proved=False, settled=False)
        self._tell(invoice, recorded, verdict, how)
        preimage = _preimage(deposit, invoice)
        if verdict is Verdict.CREDITED:
            self._settle(invoice, recorded, preimage)
        return Judgement(verdict, proved=preimage is not None, settled=verdict is Verdict.CREDITED)

    def recorded(self, provider: str, refs: Iterable[str]) -> dict[str, RecordedDeposit]:
        found = {ref: self.kept.get((provider, ref)) for ref in refs}
        return {ref: _recorded(judged) for ref, judged in found.items() if judged}

    def add_finding(self, finding: Finding) -> bool:
        if any(_difference(finding) == _difference(known) for known in self.findings):
            return False
        self.findings.append(finding)
        return True

    def matchable(self, provider: str, limit: int) -> list[Deposit]:
        disputed = {(f.provider, f.deposit_ref) for f in self.findings if f.what in _DISPUTES}
        found = [
            judged.deposit
            for key, judged in self.kept.items()
            if key[0] == provider
            and key not in disputed | self.resolved
            and judged.verdict is Verdict.UNKNOWN
            and (judged.deposit.proof or not self._proof_demanded)
            and self._invoice(judged.deposit)
        ]
        return sorted(found, key=lambda deposit: deposit.deposited_at)[:limit]

    def open(self, deposit: Deposit) -> None:
        key = (deposit.provider, deposit.deposit_ref)
        kept = self.pending.setdefault(key, OpenDeposit(self._clock()))
        kept.intent_ref = kept.intent_ref or deposit.intent_ref

    def due(self, provider: str, limit: int) -> list[str]:
        now = self._clock()
        due = [
            (kept.next_ask_at, key[1], kept)
            for key, kept in self.pending.items()
            if key[0] == provider and kept.outcome is None and kept.next_ask_at <= now
        ]
        taken = sorted(due, key=lambda one: one[:2])[:limit]
        for _, _, kept in taken:
            kept.next_ask_at = now + timedelta(seconds=60)
        return [ref for _, ref, _ in taken]

    def asked(self, provider: str, deposit_ref: str) -> None:
        kept = self.pending.get((provider, deposit_ref))
        if kept and kept.outcome is None:
            pause = min(timedelta(hours=1), timedelta(seconds=10) * 2 ** min(kept.asked, 9))
            kept.next_ask_at = self._clock() + pause
            kept.asked += 1

    def close(self, provider: str, deposit_ref: str, outcome: str) -> None:
        kept = self.pending.get((provider, deposit_ref))
        if kept and kept.outcome is None:
            kept.outcome = outcome

    def _invoice(self, deposit: Deposit) -> Invoice | None:
        wanted = (deposit.provider, deposit.intent_ref)
        kept = self._invoices.kept.values()
        return next((i for i in kept if (i.provider, i.provider_ref) == wanted), None)

    def _verdict(self, deposit: Deposit, invoice: Invoice | None) -> Verdict:
        if invoice is None:
            return Verdict.UNKNOWN
        if deposit.network != LIGHTNING:
            return Verdict.ONCHAIN
        shown = invoice.payment_request.lower()
        if deposit.payment_request is not None and deposit.payment_request.lower() != shown:
            return Verdict.MISMATCH
        if self._proof_demanded and not deposit.proof:
            return Verdict.UNKNOWN
        if self._proof_demanded and _preimage(deposit, invoice) is None:
            return Verdict.MISMATCH
        if invoice.status is InvoiceStatus.SETTLED:
            return Verdict.SECOND
        enough = deposit.amount_sats >= invoice.amount_sats
        return Verdict.CREDITED if enough else Verdict.UNDERPAID

    def _tell(self, invoice: Invoice, deposit: Deposit, verdict: Verdict, how: str) -> None:
        self.history.append((invoice.id, verdict, how))
        if verdict is Verdict.CREDITED and deposit.amount_sats > invoice.amount_sats:
            self.history.append((invoice.id, "overpaid", how))

    def _settle(self, invoice: Invoice, deposit: Deposit, preimage: str | None) -> None:
        self._invoices.kept[invoice.id] = replace(
            invoice,
            status=InvoiceStatus.SETTLED,
            settled_at=deposit.deposited_at,
            amount_received_sats=deposit.amount_sats,
            preimage=preimage,
            updated_at=self._clock(),
        )


def _facts(deposit: Deposit) -> tuple[str, int, str]:
    return deposit.intent_ref, deposit.amount_sats, deposit.network


def _difference(finding: Finding) -> tuple[str, str, str, str]:
    return finding.provider, finding.deposit_ref, finding.what, finding.reported


def _preimage(deposit: Deposit, invoice: Invoice) -> str | None:
    """The proof if it is 64 hex digits whose hash is the invoice's."""
    try:
        digest = sha256(bytes.fromhex(deposit.proof or "")).hexdigest()
    except ValueError:
        return None
    proof = (deposit.proof or "").lower()
    return proof if digest == invoice.payment_hash and len(proof) == 64 else None


def _recorded(judged: JudgedDeposit) -> RecordedDeposit:
    deposit = judged.deposit
    return RecordedDeposit(
        deposit.deposit_ref,
        deposit.intent_ref,
        deposit.amount_sats,
        deposit.network,
        deposit.proof,
        judged.verdict,
    )
