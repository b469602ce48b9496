"""Children that start quickly: forked from a process that has loaded everything already."""

import gc
import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.crashes import children
from tests.integration.crashes.children import Work

_PATIENCE_SECONDS = 30

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(["__main__", children.__name__])


@dataclass(frozen=True)
class Outcome:
    """The exit code, negative if a signal ended it, and what it told, if it came to that."""

    code: int
    told: Any = None


def run(settings: Mapping[str, str], log: Path, work: Work, *args: str) -> Outcome:
    """Run `work` in a child of its own to its end, whatever that is. Its output goes to `log`."""
    ours, theirs = _fork.Pipe(duplex=False)
    child = _fork.Process(target=children.begin, args=(dict(settings), log, theirs, work, *args))
    child.start()
    theirs.close()
    with ours:
        told = _told(ours)
        child.join(_PATIENCE_SECONDS)
        if child.exitcode is None:
            child.kill()
            child.join()
            raise AssertionError(f"it never ended:\n{log.read_text()[-3000:]}")
    outcome = Outcome(child.exitcode, told)
    child.close()
    return outcome


class Well:
    """A child that lives on: what is to go well runs in it, one after another."""

    def __init__(self) -> None:
        self._line, theirs = _fork.Pipe()
        self._child = _fork.Process(target=_serve, args=(theirs,))
        self._child.start()
        theirs.close()

    def run(self, settings: Mapping[str, str], log: Path, work: Work, *args: str) -> Outcome:
        self._line.send((dict(settings), log, work, args))
        outcome = _told(self._line)
        assert isinstance(outcome, Outcome), f"it ended, or never will:\n{log.read_text()[-3000:]}"
        return outcome

    def stop(self) -> None:
        self._line.close()
        self._child.join(_PATIENCE_SECONDS)
        assert self._child.exitcode == 0
        self._child.close()


def _serve(line: Any) -> None:
    gc.freeze()
    while True:
        try:
            settings, log, work, args = line.recv()
        except EOFError:
            return
        line.send(_outcome(settings, log, work, *args))
        gc.collect()  # closes what a process that had ended would have closed


def _outcome(settings: Mapping[str, str], log: Path, work: Work, *args: str) -> Outcome:
    children.prepare(settings, log)
    try:
        return Outcome(0, work(*args))
    except SystemExit as exc:
        return Outcome(int(exc.code or 0))


def _told(line: Any) -> Any:
    try:
        return line.recv() if line.poll(_PATIENCE_SECONDS) else None
    except EOFError:  # it ended before it could tell
        return None
