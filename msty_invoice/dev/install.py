"""Makes .venv as a lock says, and goes on as its Python. Runs before anything is installed.

    python -m msty_invoice.dev.install dev|test [PYTHON ARGUMENTS]

Hence standard library only.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from msty_invoice.dev.process import leash
from msty_invoice.dev.progress import step
from msty_invoice.dev.refusal import DISK_FULL, Refused, disk_full, refusal

# Installing the larger lock brings everything of the smaller one, at the same versions.
_BRINGS = {"dev": ["dev"], "test": ["dev", "test"]}
_VENV = Path(".venv")
_PYTHON = _VENV / "bin" / "python"
_STAMP = _VENV / "installed.json"
# How pip words it when it reaches no index.
_OFFLINE = (
    "NewConnectionError",
    "ConnectTimeout",
    "NameResolutionError",
    "No matching distribution",
)


def main(lock: str = "", *arguments: str) -> None:
    """Install what `lock` names unless it is there, then run `.venv`'s Python."""
    if lock not in _BRINGS:
        raise Refused("Which lock? bin/install dev|test [PYTHON ARGUMENTS]")
    try:
        with _one_at_a_time():
            _install(lock)
    except OSError as exc:
        raise refusal(exc) from exc
    if arguments:
        os.execv(_PYTHON, [str(_PYTHON), *arguments])  # noqa: S606 - becoming it is the point


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    Path(".dev").mkdir(mode=0o700, exist_ok=True)
    with Path(".dev/install.lock").open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        yield


def _install(lock: str) -> None:
    stamp = _read_stamp()
    wanted = _digest(lock)
    if stamp.get(lock) == wanted:
        return
    if not stamp:
        _make_venv()
    # Half an upgrade is neither the old lock nor the new one.
    _STAMP.unlink(missing_ok=True)
    with step(f"installing requirements/{lock}.txt into .venv"):
        _pip_install(lock)
    _put_checkout_on_path()
    stamp |= _whereabouts() | {each: _digest(each) for each in _BRINGS[lock]}
    _STAMP.write_text(json.dumps(stamp), "utf-8")


def _read_stamp() -> dict[str, str]:
    """What was installed. Empty if .venv is absent, was moved, or lost its Python."""
    try:
        stamp: dict[str, str] = json.loads(_STAMP.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    whereabouts = _whereabouts()
    if not _PYTHON.exists() or not whereabouts.items() <= stamp.items():
        return {}
    return stamp


def _whereabouts() -> dict[str, str]:
    return {"checkout": str(Path.cwd()), "python": str(_PYTHON.resolve())}


def _digest(lock: str) -> str:
    return sha256(Path(f"requirements/{lock}.txt").read_bytes()).hexdigest()


def _make_venv() -> None:
    with step("making .venv"):
        if _VENV.is_symlink():
            raise Refused(".venv is a symbolic link: remove it, then run this again.")
        shutil.rmtree(_VENV, ignore_errors=True)
        # In two commands, because venv keeps to itself why ensurepip failed.
        _run([sys.executable, "-m", "venv", "--without-pip", str(_VENV)])
        _run([str(_PYTHON), "-I", "-m", "ensurepip", "--default-pip"])


def _pip_install(lock: str) -> None:
    command = [str(_PYTHON), "-m", "pip", "install", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
    _run([*command, "-r", f"requirements/{lock}.txt"])


def _run(command: list[str]) -> None:
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    done = subprocess.run(
        command,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=leash(),
        **options,
    )
    if done.returncode != 0:
        raise _explain(command, done.stdout)


def _explain(command: list[str], output: str) -> Refused:
    # pip says what went wrong in its output only: its exit code is always 1.
    if DISK_FULL in output:
        return disk_full(str(Path.cwd()))
    if "DO NOT MATCH THE HASHES" in output:
        return Refused("A package is not the one that requirements/ names: do not use this index.")
    if any(word in output for word in _OFFLINE):
        return Refused(
            "Python packages could not be fetched: look at the network and at `pip config list`, "
            f"then run this again. pip says: {output.strip().splitlines()[-1]}"
        )
    return Refused(f"`{' '.join(command)}` failed:\n{output.strip()}")


def _put_checkout_on_path() -> None:
    """As an editable install does, without building anything."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.check_output([_PYTHON, "-c", ask], text=True).strip()
    Path(site, "msty_invoice.pth").write_text(f"{Path.cwd()}\n", "utf-8")
    command = _VENV / "bin" / "msty-invoice"
    command.write_text(
        '#!/bin/sh\nexec "$(dirname "$0")/python" -m msty_invoice.cli "$@"\n', "ascii"
    )
    command.chmod(0o755)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Refused as refused:
        print(refused, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
