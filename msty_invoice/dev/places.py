"""Where everything of one checkout is kept: in `.dev`, or beside it where that cannot be."""

import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from msty_invoice.dev.account import Account

# A socket's path ends at 107 bytes (sys/un.h), and libpq reads commas and blanks in a
# host as separators.
_FIT_FOR_A_SOCKET = re.compile(r"[A-Za-z0-9/._+-]{1,70}")


@dataclass(frozen=True)
class Places:
    """The folders and files of a running checkout. Absolute paths."""

    checkout: Path
    servers: Path

    @property
    def dev(self) -> Path:
        """What is private to this checkout, mode 0700."""
        return self.checkout / ".dev"

    @property
    def client_env(self) -> Path:
        """What someone who calls the service needs."""
        return self.dev / "client.env"

    def log(self, name: str) -> Path:
        """A fresh log; the one before it is kept as NAME.log.1."""
        folder = self.dev / "log"
        folder.mkdir(exist_ok=True)
        log = folder / f"{name}.log"
        with suppress(FileNotFoundError):
            log.rename(folder / f"{name}.log.1")
        return log

    def folder(self, parent: Path, name: str, account: Account | None = None) -> Path:
        """A private folder in `parent`, of `account` or ours."""
        folder = parent / name
        folder.mkdir(mode=0o700, exist_ok=True)
        if account:
            os.chown(folder, account.uid, account.gid)
        return folder


def find_places(checkout: Path, account: Account | None) -> Places:
    """Choose the folders, and remember the choice in `.dev/servers`."""
    dev = checkout / ".dev"
    dev.mkdir(mode=0o700, exist_ok=True)
    if account is None and _FIT_FOR_A_SOCKET.fullmatch(str(dev)):
        return Places(checkout, dev)
    memory = dev / "servers"
    servers = _remembered(memory, account)
    if servers is None:
        servers = _new_private_folder(account)
        try:
            memory.write_text(f"{servers}\n", "utf-8")
        except OSError:
            servers.rmdir()  # nobody would find it again
            raise
    return Places(checkout, servers)


def _remembered(memory: Path, account: Account | None) -> Path | None:
    """The folder of last time, if it is still there and still nobody else's."""
    try:
        folder = Path(memory.read_text("utf-8").strip())
        status = folder.lstat()
    except OSError:
        return None
    owner = account.uid if account else os.geteuid()
    return folder if status.st_uid == owner and status.st_mode & 0o777 == 0o700 else None


def _new_private_folder(account: Account | None) -> Path:
    # Not /tmp if possible: a restart of the machine empties it.
    parent = next((each for each in ("/var/tmp", "/tmp") if os.access(each, os.W_OK)), "/tmp")  # noqa: S108 - mkdtemp makes it safe
    folder = Path(tempfile.mkdtemp(prefix="msty-invoice-", dir=parent))
    if account:
        account.own(folder)
    return folder
