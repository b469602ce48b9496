"""Commands that are run again and again, as timers do on a real machine."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from msty_invoice.dev.process import Process


class Job:
    """`msty-invoice ARGUMENTS` every `seconds`. What it says, and how it fails, is in its log."""

    def __init__(self, log: Path, seconds: float, *arguments: str) -> None:
        self._process = Process(f"msty-invoice {arguments[0]}", log)
        self._seconds = seconds
        self._command = [sys.executable, "-m", "msty_invoice.cli", *arguments]
        self._due = time.monotonic() + seconds

    def run_if_due(self, env: Mapping[str, str], cwd: Path) -> None:
        """Start it, unless it still runs or its time has not come."""
        if self._process.running or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._seconds
        self._process.start(self._command, env, cwd)

    def stop(self) -> None:
        """End it if it runs."""
        self._process.stop()
