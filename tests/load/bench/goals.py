"""What the service promises of its speed, and whether one run kept it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.load.bench.cases import Case
from tests.load.bench.measure import Sample

Samples = Mapping[Case, Sequence[Sample]]
_Measure = Callable[[Samples], list[float]]

OURS = Case("msty", 5)
CEILING = Case("falcon", 5)
PEER = Case("lnbits", 1)
PEER_TWICE = Case("lnbits", 2)
# Beside the provider's answer: admission, the database, the way there and back.
_OWN_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Goal:
    """`at_least` or else `at_most`; `by_round` is empty if a case it needs was not measured."""

    name: str
    by_round: list[float]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def measured(self) -> float | None:
        """The median over the rounds."""
        return median(self.by_round) if self.by_round else None

    @property
    def met(self) -> bool | None:
        """None if it was not measured."""
        if self.measured is None:
            return None
        if self.at_least is not None:
            return self.measured >= self.at_least
        return self.at_most is not None and self.measured <= self.at_most


def goals(samples: Samples) -> list[Goal]:
    """Every goal. What two cases did is compared within each round, and only then the median."""
    return [
        Goal("× LNbits as shipped", rate_ratios(samples, OURS, PEER), at_least=7),
        Goal("× LNbits with two workers", rate_ratios(samples, OURS, PEER_TWICE), at_least=4),
        Goal("of bare Falcon", rate_ratios(samples, OURS, CEILING), at_least=0.10),
        Goal(
            "of LNbits' processor time, app and database",
            cpu_ratios(samples, OURS, PEER),
            at_most=1 / 6,
        ),
        *(_yield_goal(samples, Case("msty", workers, 200)) for workers in (5, 17)),
        Goal("MiB in the largest worker (PSS)", _largest_workers(samples), at_most=40),
    ]


def rate_ratios(samples: Samples, case: Case, other: Case) -> list[float]:
    """How many times the other's invoices a second, by round."""
    pairs = _paired(samples, case, other)
    return [a.invoices_per_second / b.invoices_per_second for a, b in pairs]


def cpu_ratios(samples: Samples, case: Case, other: Case) -> list[float]:
    """How many times the other's processor time for each invoice, by round."""
    return [
        _app_and_database_us(a) / _app_and_database_us(b) for a, b in _paired(samples, case, other)
    ]


def _yield_goal(samples: Samples, case: Case) -> Goal:
    possible = case.workers / (case.latency_ms / 1000 + _OWN_SECONDS)
    rates = [sample.invoices_per_second / possible for sample in samples.get(case, ())]
    name = f"of {possible:.1f}/s with {case.workers} workers at {case.latency_ms} ms"
    return Goal(name, rates, at_least=0.95)


def _largest_workers(samples: Samples) -> list[float]:
    ours = [taken for case, taken in samples.items() if case.server == "msty"]
    return [max(sample.worker_mib for sample in round_) for round_ in zip(*ours, strict=False)]


def _paired(samples: Samples, case: Case, other: Case) -> Iterable[tuple[Sample, Sample]]:
    return zip(samples.get(case, ()), samples.get(other, ()), strict=False)


def _app_and_database_us(sample: Sample) -> float:
    return sample.cpu_us["workers"] + sample.cpu_us["PostgreSQL"]
