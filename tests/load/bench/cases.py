"""What is measured: each case is a row of the report."""

import re
from dataclasses import dataclass
from typing import Literal

_WORKERS = (2, 5, 9, 17)
_LATENCIES_MS = (0, 50, 200)


@dataclass(frozen=True, slots=True)
class Case:
    """One server. `latency_ms` is the provider's; a peer has its provider inside, at 0."""

    server: Literal["msty", "falcon", "lnbits"]
    workers: int
    latency_ms: int = 0
    idempotent: bool = False

    @property
    def name(self) -> str:
        if self.server == "lnbits":
            return "LNbits, as shipped" if self.workers == 1 else f"LNbits, {self.workers} workers"
        if self.server == "falcon":
            return f"bare Falcon, {self.workers} workers"
        name = f"msty, {self.workers} workers, {self.latency_ms} ms"
        return f"{name}, Idempotency-Key" if self.idempotent else name

    @property
    def connections(self) -> int:
        """So many that no worker of ours ever waits for a client."""
        return max(16, 2 * self.workers)


def chosen(*, full: bool, peer: bool, only: str) -> list[Case]:
    """The cases of a run, in the order in which a round measures them; `only` is a pattern."""
    cases = _full() if full else _default()
    if peer:
        cases += [Case("lnbits", 1), Case("lnbits", 2)]
    return [case for case in cases if re.search(only, case.name)]


def _default() -> list[Case]:
    """Those that the goals are about, and 50 ms."""
    return [
        Case("falcon", 5),
        Case("msty", 5),
        Case("msty", 5, idempotent=True),
        Case("msty", 5, 50),
        Case("msty", 5, 200),
        Case("msty", 17, 200),
    ]


def _full() -> list[Case]:
    return [
        *(Case("falcon", workers) for workers in _WORKERS),
        *(Case("msty", workers, idempotent=True) for workers in _WORKERS),
        *(Case("msty", workers, ms) for ms in _LATENCIES_MS for workers in _WORKERS),
    ]
