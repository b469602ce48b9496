"""One program that we started: its log, its end, and that it never outlives us."""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msty_invoice.dev.account import Account

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_LIBC = ctypes.CDLL(None, use_errno=True)
_POLL_SECONDS = 0.02


class ProgramFailed(Exception):
    """A program did not start, or ended by itself. Names it and has the end of its log."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(f"{name} {what}. The end of {log}:\n{tail(log)}")
        self.name = name


class Process:
    """A child in a session of its own, so that Ctrl-C reaches only us and we choose the order."""

    def __init__(
        self,
        name: str,
        log: Path,
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        orphan_signal: signal.Signals | None = None,
        account: Account | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._stop_signal = stop_signal
        self._orphan_signal = orphan_signal or stop_signal
        self._account = account
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The running program's process id."""
        if self._popen is None:
            raise ProgramFailed(self.name, "was not started", self.log)
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._popen is not None and self._popen.poll() is None

    def start(
        self,
        args: Sequence[str | Path],
        env: Mapping[str, str],
        cwd: Path,
        stdout: int | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start it with its output in the log, or its standard output in `stdout`."""
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                args,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log if stdout is None else stdout,
                stderr=log,
                start_new_session=True,
                preexec_fn=leash(self._orphan_signal),
                **credentials(self._account),
            )
        return self._popen

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait for `ready`. Raises `ProgramFailed` if it ends first or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise ProgramFailed(self.name, "ended while it started", self.log)
            if time.monotonic() > deadline:
                raise ProgramFailed(self.name, f"was not ready after {seconds:.0f} s", self.log)
            time.sleep(_POLL_SECONDS)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self._popen is not None:
            self._popen.send_signal(number)

    def stop(self, number: signal.Signals | None = None, seconds: float = 15) -> None:
        """End it, by SIGKILL if it does not obey in time. Nothing happens if it has ended."""
        if self._popen is None:
            return
        self.send(number or self._stop_signal)
        self.send(signal.SIGCONT)  # a paused program would not see the first one
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


def credentials(account: Account | None) -> dict[str, Any]:
    """What `subprocess` needs to run a program as `account`; nothing for ourselves."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented; a note when there are none."""
    text = ""
    with contextlib.suppress(OSError):
        text = log.read_text(encoding="utf-8", errors="replace")
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:] or ["(it is empty)"])


def leash(number: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """Arrange, in the child, that it gets `number` when we are gone, even by kill -9.

    Linux ties this to the thread that forks, so a program that another thread starts
    again has no leash: it would be ended together with that thread.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    parent = os.getpid()

    def arrange() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # we were gone before the line above
            os.kill(os.getpid(), signal.SIGKILL)

    return arrange
