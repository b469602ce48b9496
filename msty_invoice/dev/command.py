"""Running `msty-invoice COMMAND` to its end."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from msty_invoice.dev.process import ProgramFailed, leash


def run_command(*arguments: str, env: Mapping[str, str], log: Path) -> str:
    """What the command printed. Raises `ProgramFailed` if it did not exit with 0."""
    with log.open("ab") as errors:
        done = subprocess.run(
            [sys.executable, "-m", "msty_invoice.cli", *arguments],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=leash(),
        )
    if done.returncode != 0:
        what = f"ended with exit code {done.returncode}"
        raise ProgramFailed(f"msty-invoice {' '.join(arguments[:2])}", what, log)
    return done.stdout
