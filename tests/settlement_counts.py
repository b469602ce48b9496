"""What settlement counted."""

from collections import Counter

from msty_invoice.domain.deposit import Verdict


class Counts:
    """Keeps to `settlement_ports.SettlementCounts`."""

    def __init__(self) -> None:
        self.verdicts: Counter[tuple[Verdict, str]] = Counter()
        self.proofs: Counter[str] = Counter()
        self.findings: Counter[str] = Counter()
        self.webhooks: Counter[str] = Counter()
        self.gaps = 0

    def judged(self, verdict: Verdict, how: str) -> None:
        self.verdicts[verdict, how] += 1

    def proof(self, kind: str) -> None:
        self.proofs[kind] += 1

    def found(self, what: str) -> None:
        self.findings[what] += 1

    def webhook(self, kind: str) -> None:
        self.webhooks[kind] += 1

    def gap(self) -> None:
        self.gaps += 1
