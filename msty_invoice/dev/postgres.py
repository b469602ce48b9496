"""A private PostgreSQL: no TCP, one unix socket in a folder that only its user can enter."""

import contextlib
import os
import secrets
import shutil
import signal
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psycopg2

from msty_invoice.dev.account import Account
from msty_invoice.dev.postgres_programs import reachable
from msty_invoice.dev.process import Process, ProgramFailed

ADMIN = "msty_admin"
StopMode = Literal["smart", "fast", "immediate"]

# https://www.postgresql.org/docs/current/server-shutdown.html
_STOP_SIGNALS = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
_START_SECONDS = 60  # crash recovery on a busy machine included
# PGDATA, PGHOST and the like of whoever started us must not steer this server.
_ENV = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class PostgresServer:
    """One server with its data, its socket and its administrator's password in `home`.

    `home` is an absolute path of at most 90 bytes (a socket's path ends at 107) with
    mode 0700, owned by `account` (None: by us). A server that is not `durable` survives
    its own crash, but not the machine's.
    """

    def __init__(
        self,
        programs: Path,
        home: Path,
        *,
        account: Account | None = None,
        durable: bool = True,
        log: Path | None = None,
    ) -> None:
        self.home = home
        self.bin = programs
        self._account = account
        self._durable = durable
        self._data = home / "data"
        self._password_file = home / "admin-password"
        self.process = Process(
            "PostgreSQL", log or home / "log", stop_signal=signal.SIGINT, account=account
        )

    @property
    def admin_url(self) -> str:
        """The DSN of the superuser, in the database `postgres`."""
        return self.url("postgres", ADMIN, self._password_file.read_text("ascii"))

    def url(self, dbname: str, user: str, password: str) -> str:
        """A DSN over the socket. `user` must exist; authentication is SCRAM."""
        return f"postgresql://{quote(user)}:{quote(password, safe='')}@/{dbname}?host={self.home}"

    @property
    def new(self) -> bool:
        """Whether it has no data yet."""
        return not self._data.is_dir()

    def init(self) -> None:
        """Make the data folder, unless it is there. A half-made one is made again."""
        if not self.new:
            return
        self.bin = reachable(self.bin, self.home, self._account)
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._write_password()
        self._initdb(fresh)
        fresh.rename(self._data)

    def start(self) -> None:
        """Start and wait until it answers. Raises `ProgramFailed`."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start, and do not wait."""
        self.bin = reachable(self.bin, self.home, self._account)
        unlock(self._data / "postmaster.pid", self._data)
        unlock(self.home / ".s.PGSQL.5432.lock", self._data)
        self.process.start(self._command(), _ENV, self.home)

    def wait(self) -> None:
        """Wait until it answers. Raises `ProgramFailed`."""
        self.process.wait_until(self._answers, _START_SECONDS)

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop as `pg_ctl stop -m MODE` does."""
        self.process.stop(_STOP_SIGNALS[mode], seconds=60)

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop and start. `immediate` is a crash: recovery runs."""
        self.stop(mode)
        self.start()

    def _command(self) -> list[str | Path]:
        settings = ["listen_addresses=", "unix_socket_permissions=0700"]
        if not self._durable:
            settings += ["fsync=off", "full_page_writes=off"]
        options = [word for each in settings for word in ("-c", each)]
        return [self.bin / "postgres", "-D", self._data, "-k", self.home, *options]

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.admin_url, connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _write_password(self) -> None:
        self._password_file.unlink(missing_ok=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_hex(24), "ascii")
        if self._account:
            self._account.own(self._password_file)

    def _initdb(self, data: Path) -> None:
        command: list[str | Path] = [self.bin / "initdb", "-D", data, "-U", ADMIN, "--no-sync"]
        command += ["-A", "scram-sha-256", "--pwfile", self._password_file]
        command += ["--locale=C.UTF-8", "--encoding=UTF8"]
        self.process.start(command, _ENV, self.home).wait()
        if not (data / "global" / "pg_control").exists():
            raise ProgramFailed("initdb", "could not make the data folder", self.process.log)


def unlock(lock_file: Path, data: Path) -> None:
    """Remove a lock file whose server is gone: its number may be another program's by now."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        pid = abs(int(lock_file.read_text("ascii").split("\n", 1)[0]))
        if not _is_postmaster(pid, data):
            lock_file.unlink()


def _is_postmaster(pid: int, data: Path) -> bool:
    # PostgreSQL changes into its data folder and stays there.
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == data.resolve()
    except OSError:
        return False
