"""LNbits, the peer: its own installation, and one server for one measurement.

Settings and pitfalls: LNbits' `.env.example` and source at 1.6.2.
"""

import fcntl
import http.client
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from msty_invoice.dev.claim import free_port
from msty_invoice.dev.process import Process, leash
from msty_invoice.dev.refusal import Refused
from tests.load.bench.cases import Case
from tests.load.bench.ground import ROOT, Ground
from tests.load.bench.servers import Server, answers, running
from tests.load.bench.wrk import Order

VERSION = "1.6.2"
DATABASE = "lnbits"
_START_SECONDS = 120

# bitstring 5 breaks its import; the others are what it was first measured with.
_PACKAGES = (
    f"lnbits=={VERSION}",
    "asyncpg==0.31.0",
    "bitstring<5",
    "bolt11==2.1.1",
    "fastapi==0.116.2",
    "SQLAlchemy==1.4.54",
    "uvicorn==0.40.0",
    "uvloop==0.22.1",
)
# The newest first: it is the quickest, and a peer should look its best.
_PYTHONS = ("python3.12", "python3.11", "python3.10", "python3", sys.executable)
_SUITABLE = """
import sys, venv, ensurepip
print(sys.version.split()[0])
sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))
"""
# As shipped, but for what would go out to the internet or refuse a load test. Without the
# admin pages there is no first visit to make before it serves.
_SETTINGS = {
    "LNBITS_BACKEND_WALLET_CLASS": "FakeWallet",
    "LNBITS_RATE_LIMIT_NO": "10000000",
    "LNBITS_RATE_LIMIT_UNIT": "second",
    "LNBITS_PRICE_AGGREGATOR_ENABLED": "false",
    "LNBITS_EXCHANGE_RATE_PROVIDERS": "[]",
    "LNBITS_EXTENSIONS_MANIFESTS": "[]",
    "LNBITS_WASM_EXTENSIONS_MANIFESTS": "[]",
    "LNBITS_ADMIN_UI": "false",
    "AUTH_HTTPS_ONLY": "false",
    "DEBUG": "false",
    "TZ": "UTC",  # it reckons expiry in local time
}
_BODY = json.dumps({"out": False, "amount": 1000, "memo": "bench"})


class Lnbits:
    """An installation, and its database with one empty wallet as a template."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._venv = _installed()
        self._key = ""

    @property
    def description(self) -> str:
        """Which LNbits, on which Python."""
        return f"LNbits {VERSION}, Python {self._venv.name.rpartition('-')[2]}"

    def prepare(self) -> None:
        """Let it make its tables, and give it a wallet."""
        self._ground.create(DATABASE)
        with self._running(1) as (_, port):
            self._key = _make_wallet(port)
            # Of the wallet's currency, each invoice would want a price.
            self._ground.ask(DATABASE, "UPDATE wallets SET currency = NULL")
        self._ground.keep_as_template(DATABASE)

    @contextmanager
    def serve(self, ground: Ground, case: Case) -> Iterator[Server]:
        """LNbits with `case.workers` processes; one is how it ships."""
        ground.reset(DATABASE)
        with self._running(case.workers) as (process, port):
            yield Server(
                Order(f"http://127.0.0.1:{port}/api/v1/payments", "X-Api-Key", self._key, _BODY),
                {"workers": process.pid, "PostgreSQL": ground.postgres.process.pid},
                lambda: int(ground.ask(DATABASE, "SELECT count(*) FROM apipayments")),
            )

    @contextmanager
    def _running(self, workers: int) -> Iterator[tuple[Process, int]]:
        port = free_port(0)
        # Not the command `lnbits`: it does the same in a child, which it leaves running.
        command = [str(self._venv / "bin/python"), "-m", "uvicorn", "lnbits.__main__:app"]
        command += ["--loop", "uvloop", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--workers", str(workers)]
        process = Process("LNbits", self._ground.log("lnbits"))
        with running(process):
            # It looks for its static files in the current folder.
            site = next(self._venv.glob("lib/python3*/site-packages"))
            process.start(command, self._environment(port), site)
            process.wait_until(lambda: answers(port), _START_SECONDS)
            yield process, port

    def _environment(self, port: int) -> dict[str, str]:
        home = self._ground.home / "lnbits"
        for folder in ("data/logs", "data/wasm_extensions", "extensions/extensions"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        own = {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "LNBITS_BASEURL": f"http://127.0.0.1:{port}/",
            "LNBITS_DATA_FOLDER": str(home / "data"),
            "LNBITS_EXTENSIONS_PATH": str(home / "extensions"),
            "LNBITS_DATABASE_URL": self._ground.url(DATABASE).replace("postgresql:", "postgres:"),
        }
        return self._ground.environment(_SETTINGS | own)


def _make_wallet(port: int) -> str:
    """A new user's wallet; returns the key that may ask for invoices."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        body = json.dumps({"name": "bench"})
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/api/v1/account", body, headers)
        answer = connection.getresponse()
        wallet: dict[str, Any] = json.loads(answer.read())
    if answer.status != http.client.OK:
        raise ValueError(f"LNbits made no wallet: {answer.status} {wallet}")
    return str(wallet["inkey"])


def _installed() -> Path:
    """The virtual environment, made if it is not there. Raises `Refused`."""
    python, version = _find_python()
    cache = ROOT / ".dev" / "bench"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    venv = cache / f"lnbits-{VERSION}-python-{version}"
    stamp = venv / "installed"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            shutil.rmtree(venv, ignore_errors=True)
            _run([python, "-m", "venv", str(venv)])
            pip = [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--no-input"]
            _run([*pip, "--disable-pip-version-check", *_PACKAGES])
            stamp.touch()
    return venv


def _find_python() -> tuple[str, str]:
    """A suitable interpreter and its version. Raises `Refused`."""
    for name in _PYTHONS:
        python = shutil.which(name)
        if python is None:
            continue
        done = subprocess.run([python, "-c", _SUITABLE], capture_output=True, text=True)
        if done.returncode == 0:
            return python, done.stdout.strip()
    raise Refused(
        "LNbits needs Python 3.10, 3.11 or 3.12 with its venv module, and none is on the PATH: "
        "install one, or leave out `--peer lnbits`."
    )


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=leash())
    if done.returncode != 0:
        raise Refused(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")
