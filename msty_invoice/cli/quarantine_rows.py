"""How the quarantine is shown: a line for each, or one with all its evidence."""

from collections.abc import Iterator, Sequence

from msty_invoice.cli.words import clean, when
from msty_invoice.domain.books import ADOPTED, BookedDeposit, BookedFinding
from msty_invoice.domain.deposit import Verdict
from msty_invoice.domain.diagnosis import sats
from msty_invoice.domain.timeline import progress
from msty_invoice.service.quarantine import Evidence

HEAD = ("REF", "WHAT", "SATS", "SINCE", "STATE", "SAID")

_REFUND = "Refund the payer by the provider's own means, or decide that they need none; then:"
_CHOICES = {
    Verdict.UNDERPAID: "It is less than the invoice asks, so nothing was settled.",
    Verdict.SECOND: "Its invoice had been paid before.",
    Verdict.ONCHAIN: "It came on-chain, where an invoice cannot be paid.",
    Verdict.MISMATCH: "It names an invoice, but its BOLT11 or proof is another's."
    " Ask the provider what it is.",
    Verdict.UNKNOWN: "No invoice of ours is known for it.",
    Verdict.CREDITED: "It is credited: there is nothing to decide.",
    Verdict.TRANSFER: "It is a transfer of our own: there is nothing to decide.",
}


def rows(
    deposits: Sequence[BookedDeposit], findings: Sequence[BookedFinding]
) -> Iterator[tuple[str, ...]]:
    """Lines under `HEAD`."""
    for deposit in deposits:
        yield (
            clean(deposit.deposit_ref),
            deposit.verdict,
            f"{deposit.amount_sats:,}",
            when(deposit.seen_at),
            _state(deposit),
            clean(deposit.resolution),
        )
    for finding in findings:
        said = finding.resolution or f"{finding.recorded} is now {finding.reported}"
        yield (finding.ref, finding.what, "", when(finding.found_at), _state(finding), clean(said))


def lines(evidence: Evidence) -> Iterator[str]:
    """All evidence, then what can be done."""
    for name, value in _facts(evidence.deposit).items():
        yield f"{name:10}  {clean(value)}"
    for finding in evidence.findings:
        yield f"{finding.ref:10}  {when(finding.found_at)}  {clean(_said(finding))}"
    for event in evidence.events:
        what = f"webhook {event.id} {event.state}, {event.copies}×, {progress(event)}"
        yield f"{'webhook':10}  {when(event.received_at)}  {clean(what)}"
    yield ""
    yield from choices(evidence)


def choices(evidence: Evidence) -> list[str]:
    """What it is, and what to type."""
    ref, deposit = evidence.ref, evidence.deposit
    resolve = f"  msty-invoice quarantine resolve {ref} --reason TEXT"
    if evidence.finding:
        if evidence.finding.resolved_at:
            return [f"{ref} was decided."]
        return ["The provider said otherwise before: ask them which is true; then:", resolve]
    if deposit.resolved_at:
        return ["It was decided."]
    said = _CHOICES[deposit.verdict]
    if not deposit.waits:
        return [said]
    adopt = []
    if deposit.verdict is Verdict.UNKNOWN and deposit.payment_request:
        again = f"  msty-invoice quarantine resolve {ref} --adopt --key NAME --reason TEXT"
        adopt = ["Lost in a restore? Rebuild it, for the key that made it:", again]
    return [said, *adopt, _REFUND, resolve]


def _facts(deposit: BookedDeposit) -> dict[str, str]:
    facts = {
        "deposit": f"{deposit.provider} {deposit.deposit_ref}",
        "verdict": deposit.verdict,
        "amount": sats(deposit.amount_sats),
        "paid": f"{when(deposit.deposited_at)} by the provider's clock",
        "learnt": f"{when(deposit.seen_at)} by {deposit.seen_by}",
        "invoice": str(deposit.invoice_id or "not known"),
        "intent": deposit.intent_ref,
        "network": deposit.network,
        "bolt11": deposit.payment_request or "none",
        "proof": deposit.proof or "none",
    }
    if deposit.resolved_at:
        facts["resolved"] = f"{when(deposit.resolved_at)}  {deposit.resolution}"
    return facts


def _said(finding: BookedFinding) -> str:
    if finding.what == ADOPTED:
        return f"its invoice was rebuilt: {finding.resolution}"
    said = f"{finding.what} was {finding.recorded}, is now {finding.reported}"
    if finding.resolved_at is None:
        return said
    return f"{said}; resolved {when(finding.resolved_at)}: {finding.resolution}"


def _state(found: BookedDeposit | BookedFinding) -> str:
    return f"resolved {when(found.resolved_at)}" if found.resolved_at else "waits"
