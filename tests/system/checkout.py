"""A copy of this checkout, as a fresh clone has it, and bin/dev driven in it as its user would."""

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from msty_invoice.dev.envfile import read_env

ROOT = Path(__file__).resolve().parents[2]
_NOT_CLONED = (".git", ".venv", ".dev", "__pycache__", "*_cache", ".hypothesis", "node_modules")
_PATIENCE_SECONDS = 180  # the first start installs


def clone_into(folder: Path) -> None:
    """What git has and what it would not ignore; a machine need not have git."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*_NOT_CLONED), symlinks=True)


@dataclass(frozen=True)
class Checkout:
    """A copy, and where its databases are."""

    folder: Path

    @property
    def client_env(self) -> dict[str, str]:
        return read_env(self.folder / ".dev" / "client.env")

    @property
    def servers(self) -> Path:
        """The folder of its databases."""
        with suppress(FileNotFoundError):
            return Path((self.folder / ".dev" / "servers").read_text("utf-8").strip())
        return self.folder / ".dev"

    def processes(self) -> set[int]:
        """Every process that works in this copy or its databases."""
        return {
            int(entry.name)
            for entry in Path("/proc").glob("[0-9]*")
            if _works_in(entry, (self.folder, self.servers))
        }

    def remove(self) -> None:
        shutil.rmtree(self.servers, ignore_errors=True)
        shutil.rmtree(self.folder)


def _works_in(entry: Path, folders: tuple[Path, ...]) -> bool:
    try:
        cwd = (entry / "cwd").readlink()
    except OSError:
        return False
    return any(cwd.is_relative_to(folder) for folder in folders)


class RunningDev:
    """bin/dev in a terminal of its own. Leaving the block presses Ctrl-C, unless it has ended."""

    def __init__(self, checkout: Checkout, *arguments: str, env: Mapping[str, str] | None = None):
        self.output: list[str] = []
        self._popen = subprocess.Popen(
            [checkout.folder / "bin" / "dev", *(arguments or ("--port", "0"))],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return "".join(self.output)

    def wait_ready(self) -> float:
        """Read until its ready line. Returns the seconds that took."""
        started = time.monotonic()
        self.wait_line("ready http://")
        seconds = time.monotonic() - started
        self.wait_line("Ctrl-C ends")
        return seconds

    def wait_line(self, start: str) -> None:
        """Read until a line that starts so."""
        for line in self._popen.stdout or ():
            self.output.append(line)
            if line.startswith(start):
                return
        raise AssertionError(f"bin/dev ended with {self._popen.wait()}:\n{self.text}")

    def pasted(self) -> str:
        """The lines of its example, as someone would copy them."""
        return "\n".join(re.findall(r"^    (.*)$", self.text, re.MULTILINE))

    def end(self, number: signal.Signals | None = None) -> int:
        """Send a signal, if any, and return the exit code once everything was read."""
        if number is not None:
            self._popen.send_signal(number)
        self.output += list(self._popen.stdout or ())
        return self._popen.wait(_PATIENCE_SECONDS)

    def __enter__(self) -> "RunningDev":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._popen.poll() is None:
            self.end(signal.SIGINT)
        if self._popen.stdout:
            self._popen.stdout.close()
