"""What a run found: a table and the goals for people, JSON for programs."""

import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from statistics import median
from typing import Any

from tests.load.bench.goals import Goal, Samples, goals

_GROUPS = ("workers", "PostgreSQL", "Valkey", "sandbox", "wrk")
_HEAD = (
    f"{'':38}{'invoices a second':>24}{'ms':>14}   {'processor µs for each invoice':<44}"
    f"{'MiB of':>8}{'others':>8}\n"
    f"{'':38}{'median':>8}{'lowest–highest':>16}{'p50':>7}{'p99':>7}   "
    f"{'workers':>8}{'PostgreSQL':>12}{'Valkey':>8}{'sandbox':>9}{'wrk':>6} "
    f"{'a worker':>8}{'%':>8}"
)
CAVEAT = """\
LNbits' FakeWallet makes, signs and decodes each invoice in its own process, over half of its
processor time; with a node behind it, it would still decode. Our provider does that in its
own process, here the sandbox, and we decode. So the ratios flatter us: see docs/performance.md."""


def table(samples: Samples) -> str:
    """A line for each case: medians over the rounds."""
    lines = [_HEAD]
    for case, taken in samples.items():
        rates = [sample.invoices_per_second for sample in taken]
        span = f"{min(rates):.0f}–{max(rates):.0f}"
        line = f"{case.name:<38}{median(rates):8.0f}{span:>16}"
        line += f"{median(s.p50_ms for s in taken):7.1f}{median(s.p99_ms for s in taken):7.1f}   "
        for group, width in zip(_GROUPS, (8, 12, 8, 9, 6), strict=True):
            found = [sample.cpu_us[group] for sample in taken if group in sample.cpu_us]
            line += f"{median(found):{width}.0f}" if found else f"{'':{width}}"
        line += f" {median(s.worker_mib for s in taken):8.1f}"
        lines.append(f"{line}{median(s.others_percent for s in taken):8.0f}")
    return "\n".join(lines)


def verdicts(samples: Samples) -> str:
    """A line for each goal."""
    return "\n".join(_verdict(goal) for goal in goals(samples))


def as_json(samples: Samples, about: dict[str, Any]) -> dict[str, Any]:
    """Everything that was measured, and on what."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        **about,
        "cases": [
            {**asdict(case), "name": case.name, "rounds": [asdict(sample) for sample in taken]}
            for case, taken in samples.items()
        ],
        "goals": [
            {**asdict(goal), "measured": goal.measured, "met": goal.met} for goal in goals(samples)
        ],
        "caveat": CAVEAT,
    }


def _verdict(goal: Goal) -> str:
    bound = f"≥ {goal.at_least:.3g}" if goal.at_least is not None else f"≤ {goal.at_most:.3g}"
    if goal.measured is None:
        return f"  not measured  {'':19}{bound:>8}  {goal.name}"
    word = "met" if goal.met else "MISSED"
    span = f"({min(goal.by_round):.3g}–{max(goal.by_round):.3g})"
    return f"  {word:<12}  {goal.measured:6.3g} {span:<12}{bound:>8}  {goal.name}"
