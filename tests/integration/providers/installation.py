"""LNbits from the package registry, in a virtual environment of its own, once per machine.

Its pins (pydantic 1, SQLAlchemy 1.4) must never meet ours, and it needs Python 3.10 to 3.12.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

VERSION = "1.6.2"
_PACKAGES = (f"lnbits=={VERSION}", "bitstring<5")  # bitstring 5 breaks its import
_PYTHONS = ("python3.12", "python3.11", "python3.10", "python3", sys.executable)
_SUITABLE = """
import sys, venv, ensurepip
print(sys.version.split()[0])
sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))
"""
_INSTALL_SECONDS = 900


def installed() -> Path:
    """The virtual environment, made if it is not there. Skips the test, and says why."""
    python, version = _python()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "msty-invoice"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    venv = cache / f"lnbits-{VERSION}-python-{version}"
    with (cache / "lnbits.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (venv / "installed").exists():
            shutil.rmtree(venv, ignore_errors=True)
            _run(python, "-m", "venv", str(venv))
            pip = (str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--no-input")
            _run(*pip, "--disable-pip-version-check", *_PACKAGES)
            (venv / "installed").touch()
    return venv


def _python() -> tuple[str, str]:
    for python in filter(None, map(shutil.which, _PYTHONS)):
        tried = subprocess.run([python, "-c", _SUITABLE], capture_output=True, text=True)
        if tried.returncode == 0:
            return python, tried.stdout.strip()
    pytest.skip("LNbits needs Python 3.10, 3.11 or 3.12 with its venv module on the PATH")


def _run(*command: str) -> None:
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as exc:
        said = (getattr(exc, "stderr", "") or str(exc)).strip().splitlines()
        pytest.skip(f"LNbits cannot be installed: {said[-1] if said else exc}")
