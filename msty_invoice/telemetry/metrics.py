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


def count_create(outcome: str) -> None:
    CREATES.labels(outcome).inc()
