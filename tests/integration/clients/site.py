"""docs/clients/nextjs, installed and served as a developer does it."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from msty_invoice.dev.process import Process

_EXAMPLE = Path(__file__).parents[3] / "docs/clients/nextjs"
_LOCAL = re.compile(r"Local: +(http://\S+)")
_WITHOUT_EXTRAS = ("--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")
_INSTALL_SECONDS = 300
_START_SECONDS = 60


def install(folder: Path) -> None:
    """Put the example there, with the packages it names; quick if they are there already."""
    shutil.copytree(_EXAMPLE, folder, dirs_exist_ok=True)
    named, installed = folder / "package.json", folder / "node_modules/installed.json"
    if not installed.exists() or installed.read_bytes() != named.read_bytes():
        run(folder, "npm", "install", *_WITHOUT_EXTRAS)
        shutil.copy(named, installed)


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def skip_without_node() -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("the Next.js client needs node and npm")


class Site:
    """`next dev` on a port of its own."""

    def __init__(self, folder: Path, log: Path, settings: Mapping[str, str]) -> None:
        self._process = Process("next", log)
        command: list[str | Path] = [
            folder / "node_modules/.bin/next",
            "dev",
            "-H",
            "127.0.0.1",
            "-p",
            "0",
        ]
        env = {"PATH": os.environ["PATH"], "HOME": str(log.parent), "NEXT_TELEMETRY_DISABLED": "1"}
        self._process.start(command, {**env, **settings}, folder)
        self._process.wait_until(lambda: bool(self.url), _START_SECONDS)

    @property
    def url(self) -> str:
        """Where it answers; empty until it does."""
        found = _LOCAL.search(self._process.log.read_text("utf-8"))
        return found[1] if found else ""

    def stop(self) -> None:
        self._process.stop()
        with contextlib.suppress(ProcessLookupError):  # whatever it started and left behind
            os.killpg(self._process.pid, signal.SIGKILL)
