"""Paid a second before expiry, at it and after it, while passes run all the time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

from msty_invoice.dev.process import Process
from tests.integration.running import RiverStandIn, Service
from tests.integration.settlement.conftest import Operator

_LIFE_SECONDS = 4
_AROUND = (-1.0, -0.05, 0.0, 0.05, 1.0)


class Racing:
    """Passes one after the other, with no grace, until told to stop."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._over = Event()
        self.passes = 0
        self._thread = Thread(target=self._run)

    def _run(self) -> None:
        while not self._over.is_set():
            self._operator.run("reconcile", EXPIRY_GRACE="0")
            self.passes += 1

    def __enter__(self) -> "Racing":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def _pay_at(pay: Callable[..., Any], invoice: dict[str, Any], seconds_after: float) -> None:
    expires_at = datetime.fromisoformat(invoice["expiresAt"])
    time.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds() + seconds_after))
    pay(invoice, late=True)


def test_who_pays_around_expiry_is_settled_and_late_by_the_providers_clock_only(
    service: Service,
    settler: Process,
    sandbox: RiverStandIn,
    operator: Operator,
    pay: Callable[..., Any],
    settled: Callable[..., Any],
    books: Callable[..., list[Any]],
) -> None:
    sandbox.faults({"expiry_seconds": _LIFE_SECONDS, "drop_webhooks": True})
    invoices = {after: service.create().json() for after in _AROUND}
    payers = [
        Thread(target=_pay_at, args=(pay, invoice, after)) for after, invoice in invoices.items()
    ]
    with Racing(operator) as racing:
        for payer in payers:
            payer.start()
        for payer in payers:
            payer.join()
        documents = {after: settled(invoice) for after, invoice in invoices.items()}

    assert racing.passes > 1
    dated = {one["intent_id"]: one["timestamp"] for one in sandbox.state()["deposits"]}
    for after, document in documents.items():
        ((intent, expires_at, settled_at),) = books(
            "SELECT provider_ref, expires_at, settled_at FROM invoices WHERE payment_hash = %(h)s",
            h=invoices[after]["paymentHash"],
        )
        assert round(settled_at.timestamp() * 1000) == dated[intent]
        assert document["late"] is (dated[intent] > expires_at.timestamp() * 1000)
    assert (documents[-1.0]["late"], documents[1.0]["late"]) == (False, True)
