"""A real LNbits in its own process, and what its operator and its users do with it.

Settings and calls: LNbits 1.6.2, as observed.
"""

import os
import socket
from pathlib import Path
from typing import Any

import requests

from msty_invoice.dev.process import Process

_START_SECONDS = 120
_ASK_SECONDS = 30
_PASSWORD = "of-a-test-only"
_SETTINGS = {
    "LNBITS_ADMIN_UI": "true",
    "AUTH_HTTPS_ONLY": "false",
    "DEBUG": "false",
    "TZ": "UTC",  # it reckons expiry in local time
    # It would call neither loopback nor a private address.
    "LNBITS_CALLBACK_URL_RULES": r"https?://127\.0\.0\.1(:\d+)?",
    "LNBITS_CALLBACK_ALLOW_PRIVATE_IPS": "true",
    "LNBITS_RATE_LIMIT_NO": "1000000",
    "LNBITS_RATE_LIMIT_UNIT": "second",
    # Nothing goes out.
    "LNBITS_PRICE_AGGREGATOR_ENABLED": "false",
    "LNBITS_EXCHANGE_RATE_PROVIDERS": "[]",
    "LNBITS_EXTENSIONS_MANIFESTS": "[]",
    "LNBITS_WASM_EXTENSIONS_MANIFESTS": "[]",
    "LNBITS_EXTENSIONS_DEACTIVATE_ALL": "true",
    "LNBITS_AUDIT_ENABLED": "false",
    "ENABLE_LOG_TO_FILE": "false",
}


class Lnbits:
    """Started, but not set up: until `install` all of it leads to /first_install."""

    def __init__(self, venv: Path, folder: Path, **settings: str) -> None:
        self._venv = venv
        self._folder = folder
        self._settings = settings
        for name in ("data/logs", "data/wasm_extensions", "extensions/extensions"):
            (folder / name).mkdir(parents=True)
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._token = ""
        self.process = Process("LNbits", folder / "lnbits.log")
        self.start()

    def start(self) -> None:
        """Start it, the first time or again, and wait until it answers."""
        # Not the command `lnbits`: it does the same in a child, which it leaves running.
        command = [str(self._venv / "bin/python"), "-m", "uvicorn", "lnbits.__main__:app"]
        command += ["--loop", "uvloop", "--host", "127.0.0.1", "--port", str(self.port)]
        # It looks for its static files in the current folder.
        site = next(self._venv.glob("lib/python3*/site-packages"))
        self.process.start(command, self._environment(), site)
        self.process.wait_until(self._answers, _START_SECONDS)

    def stop(self) -> None:
        self.process.stop(seconds=30)

    def install(self) -> None:
        """Make its first visit: a super user."""
        user = {"username": "superuser", "password": _PASSWORD, "password_repeat": _PASSWORD}
        self._token = self.ask("PUT", "/api/v1/auth/first_install", json=user)["access_token"]

    def set(self, **settings: object) -> None:
        """Change settings, at once and over restarts."""
        self.ask("PATCH", "/admin/api/v1/settings", json=settings, headers=self._super())

    def make_wallet(self, name: str, sats: int = 0) -> dict[str, str]:
        """A new user's wallet: its `id`, `inkey` and `adminkey`."""
        wallet: dict[str, str] = self.ask("POST", "/api/v1/account", json={"name": name})
        # Of a currency, each invoice would want a price.
        key = {"X-Api-Key": wallet["adminkey"]}
        self.ask("PATCH", "/api/v1/wallet", json={"currency": ""}, headers=key)
        if sats:
            credit = {"id": wallet["id"], "amount": sats}
            self.ask("PUT", "/users/api/v1/balance", json=credit, headers=self._super())
        return wallet

    def pay(self, wallet: dict[str, str], payment_request: str) -> dict[str, Any]:
        """Pay from a wallet. The row may say that nothing was paid."""
        order = {"out": True, "bolt11": payment_request}
        key = {"X-Api-Key": wallet["adminkey"]}
        row: dict[str, Any] = self.ask("POST", "/api/v1/payments", json=order, headers=key)
        return row

    def rows(self, wallet: dict[str, str]) -> list[dict[str, Any]]:
        """All payments of a wallet."""
        key = {"X-Api-Key": wallet["inkey"]}
        answer = self.ask("GET", "/api/v1/payments/paginated?limit=1000", headers=key)
        return list(answer["data"])

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The document in an answer that must be good."""
        # No session: its cookies would make us the super user.
        answer = requests.request(
            method, self.url + path, allow_redirects=False, timeout=_ASK_SECONDS, **more
        )
        assert answer.status_code in (200, 201), f"{answer.status_code} {answer.text}"
        return answer.json()

    def _super(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _answers(self) -> bool:
        try:
            requests.get(self.url + "/api/v1/health", allow_redirects=False, timeout=5)
        except requests.RequestException:
            return False
        return True

    def _environment(self) -> dict[str, str]:
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "LNBITS_BASEURL": f"{self.url}/",
            "LNBITS_DATA_FOLDER": str(self._folder / "data"),
            "LNBITS_EXTENSIONS_PATH": str(self._folder / "extensions"),
            "LNBITS_BACKEND_WALLET_CLASS": "FakeWallet",
        }
        return _SETTINGS | own | self._settings


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
