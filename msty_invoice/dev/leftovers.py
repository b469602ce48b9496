"""What a bin/dev that was killed left running. Never touches a process that is not ours."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path

from msty_invoice.dev.process import Process

_POLITE_SECONDS = 20


def remember(memory: Path, processes: list[Process]) -> None:
    """Note what runs now: a number alone may be another program's by tomorrow."""
    noted = {process.pid: _started(process.pid) for process in processes if process.running}
    partial = memory.with_suffix(".new")
    partial.write_text(json.dumps(noted), "utf-8")
    partial.replace(memory)


def end_leftovers(memory: Path) -> int:
    """End what is noted and still runs. Returns how many that were."""
    try:
        noted: dict[str, int | None] = json.loads(memory.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return 0
    ours = {int(pid): started for pid, started in noted.items() if started is not None}
    left = _alive(ours)
    # They were told when their parent died (`process.leash`); this is for those that were not.
    _signal(left, signal.SIGTERM)
    deadline = time.monotonic() + _POLITE_SECONDS
    while (late := _alive(ours)) and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal(late, signal.SIGKILL)
    memory.unlink()
    return len(left)


def _alive(noted: dict[int, int]) -> list[int]:
    return [pid for pid, started in noted.items() if _started(pid) == started]


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _started(pid: int) -> int | None:
    """When it started, in clock ticks since boot (proc(5), stat, field 22); None if it ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in brackets, and may hold anything.
    state, *fields = text.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])
