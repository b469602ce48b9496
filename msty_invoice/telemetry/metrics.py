"""What is counted. Every label has a bounded set of values, whatever clients send."""

from prometheus_client import Counter

CREATES = Counter(
    "msty_invoice_creates_total",
    "Invoices asked for, by how that ended: `created`, or the name of the error.",
    ["outcome"],
)
LIMITER_FALLBACKS = Counter(
    "msty_invoice_limiter_fallbacks_total",
    "Rate-limit decisions taken by a worker alone because Redis did not answer.",
)
KEY_BUDGETS = Counter(
    "msty_invoice_key_budget_creates_total",
    "Creates with a publishable key that had a fifth or less of its minute left.",
    ["key"],
)


def count_create(outcome: str) -> None:
    CREATES.labels(outcome).inc()


def count_key_budget(key: str) -> None:
    KEY_BUDGETS.labels(key).inc()


class SettlementCounters:
    """Keeps to `settlement_ports.SettlementCounts`. A path whose count stands still is dead."""

    _deposits = Counter(
        "msty_invoice_deposits_total",
        "Deposits judged, by verdict and by the path that found them.",
        ["verdict", "how"],
    )
    _proofs = Counter(
        "msty_invoice_deposit_proofs_total",
        "Proofs of credited deposits: the preimage, something else, or none.",
        ["kind"],
    )
    _findings = Counter(
        "msty_invoice_deposit_findings_total",
        "Recorded deposits of which the provider later said otherwise, by field.",
        ["what"],
    )
    _webhooks = Counter(
        "msty_invoice_webhooks_total",
        "Webhooks: new, repeated, parked, about an invoice not ours (stranger), or refused as"
        " unsigned, forged, stale or misaddressed.",
        ["kind"],
    )
    _gaps = Counter(
        "msty_invoice_walk_gaps_total",
        "Pages after which the provider's paging may have left deposits out.",
    )

    def judged(self, verdict: str, how: str) -> None:
        self._deposits.labels(verdict, how).inc()

    def proof(self, kind: str) -> None:
        self._proofs.labels(kind).inc()

    def found(self, what: str) -> None:
        self._findings.labels(what).inc()

    def webhook(self, kind: str) -> None:
        self._webhooks.labels(kind).inc()

    def gap(self) -> None:
        self._gaps.inc()
