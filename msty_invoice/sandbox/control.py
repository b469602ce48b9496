"""The control surface under `/_sandbox/`: pay an invoice, look at all there is, set faults.

For tests and for people; River has nothing like it. No key is asked for. Errors are
`{"error": sentence}`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any, TypeVar

from msty_invoice.sandbox import endpoints
from msty_invoice.sandbox.book import Book, Dated
from msty_invoice.sandbox.faults import Faults, UnknownFault
from msty_invoice.sandbox.ledger import Ledger
from msty_invoice.sandbox.outbox import Attempts, Outbox
from msty_invoice.sandbox.receiving import MOST_SATS, Receiving
from msty_invoice.sandbox.records import LN, Intent
from msty_invoice.sandbox.wire import Answer, Call, WireError, text, whole

_MOST_SHOWN = 1000

D = TypeVar("D", bound=Dated)


class Control:
    """Answers what is asked under `/_sandbox/`. `requests` counts by endpoint since the start."""

    def __init__(
        self,
        ledger: Ledger,
        receiving: Receiving,
        faults: Faults,
        outbox: Outbox,
        now_ms: Callable[[], int],
    ) -> None:
        self.requests: Counter[str] = Counter()
        self._ledger = ledger
        self._receiving = receiving
        self._faults = faults
        self._outbox = outbox
        self._now_ms = now_ms
        self._handlers: dict[str, Callable[[Call], Answer]] = {
            endpoints.PAY: self._pay,
            "GET /_sandbox/state": self._state,
            "PUT /_sandbox/faults": self._set_faults,
        }

    def answer(self, call: Call) -> Answer:
        handler = self._handlers.get(call.endpoint)
        if handler is None:
            known = ", ".join(self._handlers)
            return _error(404, f"There is no {call.endpoint} here, only {known}.")
        try:
            return handler(call)
        except WireError as exc:
            return _error(400, f"That is not what this takes: {exc}.")
        except UnknownFault as exc:
            return _error(400, str(exc))

    def _pay(self, call: Call) -> Answer:
        body = call.body()
        intent = self._ledger.find_intent(text(body, "payment_request").lower())
        if intent is None:
            return _error(404, "No such invoice was made here.")
        paid = self._ledger.is_paid(intent) and intent.network == LN
        if paid and body.get("again") is not True:
            return _error(409, 'This invoice is paid already; {"again": true} pays it once more.')
        if 0 < intent.expires_at_ms <= self._now_ms() and body.get("late") is not True:
            return _error(410, 'This invoice has expired; {"late": true} pays it all the same.')
        amount_sats = whole({"amount": intent.amount_sats} | body, "amount", 1, MOST_SATS)
        deposit = self._receiving.receive(intent, amount_sats, call.endpoint)
        return Answer(200, {"preimage": intent.preimage, "deposit": deposit.id})

    def _set_faults(self, call: Call) -> Answer:
        self._faults.replace(call.body())
        return Answer(200, self._faults.as_given)

    def _state(self, call: Call) -> Answer:
        ledger = self._ledger
        document = {
            "balance": ledger.balance_sats,
            "available_balance": ledger.available_sats,
            "counts": {
                "intents": len(ledger.intents),
                "deposits": len(ledger.deposits),
                "withdrawals": len(ledger.withdrawals),
                "webhooks_undelivered": len(ledger.undelivered),
                "webhooks_dropped": self._outbox.dropped,
            },
            "intents": [self._intent(i) for i in _newest(ledger.intents)],
            # As they were recorded, whatever a fault makes them report.
            "deposits": [asdict(deposit) for deposit in _newest(ledger.deposits)],
            "withdrawals": [withdrawal.on_wire() for withdrawal in _newest(ledger.withdrawals)],
            "webhook": ledger.webhook and {"url": ledger.webhook.url, "enabled": True},
            "deliveries": [_delivery(a) for a in reversed(self._outbox.recent)],
            "requests": dict(sorted(self.requests.items())),
            "faults": self._faults.as_given,
        }
        return Answer(200, document)

    def _intent(self, intent: Intent) -> dict[str, Any]:
        return intent.on_wire() | {
            "amount": intent.amount_sats,
            "label": intent.label,
            "payment_hash": intent.payment_hash,
            "expires_at_ms": intent.expires_at_ms,
            "paid": self._ledger.is_paid(intent),
        }


def _newest(book: Book[D]) -> Iterator[D]:
    return islice(book.newest_first(), _MOST_SHOWN)


def _delivery(attempts: Attempts) -> dict[str, Any]:
    return {
        "number": attempts.delivery.number,
        "attempts": attempts.count,
        "last_status": attempts.status,
        "delivered": attempts.delivered,
        **attempts.delivery.on_wire(),
    }


def _error(status: int, sentence: str) -> Answer:
    return Answer(status, {"error": sentence})
