"""Ask for a Lightning invoice and wait until it is paid. Needs `requests`; copy it, or run it:

MSTY_URL=http://127.0.0.1:8080 MSTY_SECRET_KEY=sk_test_… python invoices.py 2100 coffee
"""

import os
import sys
import time
import uuid
from typing import Any

import requests

_TRY_AGAIN = {409, 429, 503}  # each says in Retry-After how long to wait
_POLL_SECONDS = 2


class Refused(Exception):
    """Asking again will not help, or did not in time. `code` is what to decide by."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['error']} {error.get('details', '')} ({error['requestId']})")
        self.code = error["code"]


class Invoices:
    """The service at `url`, asked with a secret key; patient for `patience` seconds a call."""

    def __init__(self, url: str, secret_key: str, patience: float = 60) -> None:
        self._url = f"{url}/api/lightning"
        self._patience = patience
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {secret_key}"

    def create(self, amount: int, memo: str, order: str = "") -> dict[str, Any]:
        """An invoice over whole satoshis. The same `order` always gets the same invoice: keep
        it with your order before you ask, and a crash of yours makes no second one."""
        once = {"Idempotency-Key": order or str(uuid.uuid4())}
        body = {"amount": amount, "memo": memo}
        invoice: dict[str, Any] = self._ask("POST", "/create-invoice", once, body).json()
        return invoice

    def wait(self, payment_hash: str, seconds: float) -> dict[str, Any]:
        """What is recorded: as soon as it is not pending, or after these seconds."""
        path, until = f"/invoices/{payment_hash}", time.monotonic() + seconds
        answer = self._ask("GET", path, {})
        status: dict[str, Any] = answer.json()
        while status["status"] == "pending" and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            answer = self._ask("GET", path, {"If-None-Match": answer.headers["ETag"]})
            status = answer.json() if answer.status_code == requests.codes.ok else status
        return status

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: Any = None
    ) -> requests.Response:
        until = time.monotonic() + self._patience
        while True:
            answer = self._try(method, path, headers, body)
            wait = 1 if answer is None else int(answer.headers.get("Retry-After", 1))
            again = answer is None or answer.status_code in _TRY_AGAIN
            if not again or time.monotonic() + wait > until:
                break
            time.sleep(wait)
        if answer is None:
            raise TimeoutError(f"no answer from {self._url}")
        if not answer.ok:
            raise Refused(answer.json())
        return answer

    def _try(
        self, method: str, path: str, headers: dict[str, str], body: Any
    ) -> requests.Response | None:
        try:
            return self._session.request(
                method, self._url + path, headers=headers, json=body, timeout=20
            )
        except (requests.ConnectionError, requests.Timeout):
            return None  # sent or not: with an Idempotency-Key that does not matter


if __name__ == "__main__":
    invoices = Invoices(os.environ["MSTY_URL"], os.environ["MSTY_SECRET_KEY"])
    invoice = invoices.create(int(sys.argv[1]), " ".join(sys.argv[2:]))
    print(invoice["paymentRequest"], flush=True)
    print(invoices.wait(invoice["paymentHash"], seconds=3600)["status"])
