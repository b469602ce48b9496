"""What Linux counts: processor time, memory and connections (proc(5))."""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_MIB_PER_KIB = 1 / 1024

# The states of a connection whose server still has work to do (include/net/tcp_states.h):
# ESTABLISHED, SYN_RECV, CLOSE_WAIT. A LISTEN line counts those not accepted yet.
_AT_WORK = {"01", "03", "08"}
_LISTEN = "0A"


def tree(root: int) -> list[int]:
    """A process and all below it."""
    children = defaultdict(list)
    for pid, fields in _all():
        children[int(fields[1])].append(pid)
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def cpu_seconds(root: int) -> float:
    """Spent by a process and all below it, also by those that have ended since."""
    members = set(tree(root))
    ticks = sum(sum(map(int, fields[11:15])) for pid, fields in _all() if pid in members)
    return ticks / _TICKS_PER_SECOND


def busy_seconds() -> float:
    """Spent by all processors of this machine, whoever used them."""
    first = Path("/proc/stat").read_text("ascii").split("\n", 1)[0]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, first.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS_PER_SECOND


def largest_pss_mib(root: int) -> float:
    """The proportional set size of the largest process of a tree: its share of shared pages."""
    return max(_pss_kib(pid) for pid in tree(root)) * _MIB_PER_KIB


def unfinished(port: int) -> int:
    """How many connections to a port on 127.0.0.1 its server has not done with."""
    lines = Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
    return sum(_unfinished(line.split(), f"0100007F:{port:04X}") for line in lines)


def _unfinished(columns: list[str], local: str) -> int:
    _, address, _, state, queues, *_ = columns
    if address != local:
        return 0
    return int(queues.partition(":")[2], 16) if state == _LISTEN else state in _AT_WORK


def _all() -> Iterator[tuple[int, list[str]]]:
    """Each process, and its fields from the third on: state, parent, …"""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            text = (entry / "stat").read_text("utf-8", errors="replace")
        except OSError:
            continue  # it has just ended
        # The second field is the program's name in brackets, and may hold anything.
        yield int(entry.name), text.rpartition(")")[2].split()


def _pss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
