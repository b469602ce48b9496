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
