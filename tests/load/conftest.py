"""wrk, and samples that were never measured."""

import pytest

from msty_invoice.dev.refusal import Refused
from tests.load.bench.measure import Sample
from tests.load.bench.wrk import ensure_wrk


@pytest.fixture(scope="session")
def wrk() -> None:
    """The real one."""
    try:
        ensure_wrk()
    except Refused as refused:
        pytest.skip(str(refused))


def sample(
    rate: float = 100, workers_us: float = 1000, postgres_us: float = 500, mib: float = 20
) -> Sample:
    return Sample(
        invoices_per_second=rate,
        p50_ms=10.0,
        p99_ms=20.0,
        cpu_us={"workers": workers_us, "PostgreSQL": postgres_us, "Valkey": 90.0, "wrk": 80.0},
        worker_mib=mib,
        others_percent=3.0,
    )
