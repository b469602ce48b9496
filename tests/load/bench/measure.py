"""One measurement: warm up, let everything abandoned end, measure, let it end again."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.load.bench import procfs
from tests.load.bench.cases import Case
from tests.load.bench.servers import Server
from tests.load.bench.wrk import Load, UnexpectedAnswer, run_wrk

_WARM_UP_SECONDS = 2
_DRAIN_SECONDS = 60
_POLL_SECONDS = 0.05
# So long without work, everything that starts has started.
_QUIET_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Sample:
    """One case in one round. `cpu_us` is microseconds of processor time for each invoice.

    `worker_mib` is the PSS of the largest worker; `others_percent` what the rest of the
    machine used of its processors meanwhile.
    """

    invoices_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: Mapping[str, float]
    worker_mib: float
    others_percent: float


def measure(server: Server, case: Case, seconds: int, log: Path) -> Sample:
    """Raises `UnexpectedAnswer`, also for answers of 201 that stand for no recorded invoice."""
    wait_until_quiet(server.groups["workers"])
    run_wrk(server.order, case.connections, _WARM_UP_SECONDS, log)
    _drain(server)
    recorded = server.recorded() if server.recorded else 0
    with _clocks(server) as spent:
        load = run_wrk(server.order, case.connections, seconds, log)
        _drain(server)
    if not load.requests:
        raise UnexpectedAnswer("not one answer came")
    made = server.recorded() - recorded if server.recorded else load.requests
    if made < load.requests:
        raise UnexpectedAnswer(f"{load.requests} answers of 201, but {made} invoices recorded")
    return _sample(load, spent, made, procfs.largest_pss_mib(server.groups["workers"]))


@dataclass(slots=True)
class _Spent:
    """Seconds: of each group, of all processors by anyone, and by the clock on the wall."""

    groups: dict[str, float]
    busy: float = 0.0
    wall: float = 0.0


@contextmanager
def _clocks(server: Server) -> Iterator[_Spent]:
    before, busy, wall = _groups(server), procfs.busy_seconds(), time.monotonic()
    spent = _Spent({})
    yield spent
    after = _groups(server)
    spent.groups = {name: after[name] - before[name] for name in before}
    spent.busy = procfs.busy_seconds() - busy
    spent.wall = time.monotonic() - wall


def _groups(server: Server) -> dict[str, float]:
    own = {"bench": time.process_time()}
    return {name: procfs.cpu_seconds(pid) for name, pid in server.groups.items()} | own


def _sample(load: Load, spent: _Spent, made: int, worker_mib: float) -> Sample:
    bench = spent.groups.pop("bench")
    groups = spent.groups | {"wrk": load.cpu_seconds}
    others = max(0.0, spent.busy - bench - sum(groups.values()))
    return Sample(
        invoices_per_second=load.requests / load.seconds,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        # wrk asked only for those it was told of; the others finished what it abandoned, too.
        cpu_us={
            name: 1e6 * used / (load.requests if name == "wrk" else made)
            for name, used in groups.items()
        },
        worker_mib=worker_mib,
        others_percent=100 * others / (spent.wall * (os.cpu_count() or 1)),
    )


def _drain(server: Server) -> None:
    """Wait until the server is done with connections that wrk has left: it answers them, too."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    while left := procfs.unfinished(server.port):
        if time.monotonic() > deadline:
            raise UnexpectedAnswer(f"{left} connections were still open after {_DRAIN_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def wait_until_quiet(root: int) -> None:
    """Until every worker has loaded what it runs, of which the first answer says nothing."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    before = -1.0
    while (now := procfs.cpu_seconds(root)) > before + 0.01 and time.monotonic() < deadline:
        before = now
        time.sleep(_QUIET_SECONDS)
