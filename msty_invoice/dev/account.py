"""The ordinary user that PostgreSQL runs as when we are root, which it refuses to be."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """A user that exists on this machine. We never make one."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give `path`, and all below it, to this user."""
        for each in (path, *path.rglob("*")):
            os.chown(each, self.uid, self.gid, follow_symlinks=False)


class NoOrdinaryAccount(Exception):
    """We are root, and there is no user that could run PostgreSQL."""


def ordinary_account() -> Account | None:
    """Whom to run PostgreSQL as: None stands for ourselves, who are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise NoOrdinaryAccount("there is neither a user `postgres` nor `nobody`: run as another user")
