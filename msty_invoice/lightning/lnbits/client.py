"""LNbits' HTTP API, as far as this service uses it: with the invoice key, which cannot pay."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from msty_invoice.domain.errors import ProviderUnavailable, ProviderUnknown, ProviderUnreadable
from msty_invoice.lightning.http import Answer, HttpService
from msty_invoice.lightning.json_body import UnreadableBody, json_object
from msty_invoice.lightning.kept_connection import NotSent, TooLarge, Unanswered, Unreadable
from msty_invoice.lightning.lnbits import wire
from msty_invoice.lightning.lnbits.failures import AnswerTooLarge, failure

# A row of ours has at most 4 kB, most of it the invoice of a 639-byte memo, twice.
PAGE = 12

_PAYMENTS = "/api/v1/payments"
_ROWS = "/api/v1/payments/paginated"
_WALLET = "/api/v1/wallet"

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """What is asked of LNbits. `webhook` is where it tells of the payment; "" is nowhere."""

    amount_sats: int
    memo: str
    expiry_seconds: int
    external_id: str
    webhook: str = ""


class LnbitsClient:
    """One wallet of one LNbits. One thread at a time; opens nothing before the first call.

    Every method ends within `deadline_seconds` and raises `ProviderMisconfigured` (key,
    address, or an LNbits that was never set up), `ProviderRefused` (about this call),
    `ProviderUnavailable` (not sent, or an answer that is none; `ProviderUnreadable` if it came
    as a success) or `ProviderUnknown` (sent, no answer).
    """

    def __init__(
        self,
        base_url: str,
        invoice_key: str,
        deadline_seconds: float = 8.0,
        ca_file: str | None = None,
    ) -> None:
        headers = {
            # Never as a parameter of the URL, which proxies write into their logs.
            "X-Api-Key": invoice_key,
            "Content-Type": "application/json",
            "User-Agent": "msty-invoice",
        }
        self._http = HttpService(base_url, headers, deadline_seconds, ca_file)

    def wallet(self) -> wire.Wallet:
        """The balance, if LNbits answers and accepts the key."""
        return self._get(_WALLET, wire.wallet)

    def create_invoice(self, new: NewInvoice) -> wire.Created:
        """Ask for an invoice. Asked twice it makes two; the first is shown to nobody."""
        order: dict[str, Any] = {
            "out": False,  # its own default is to pay
            "amount": new.amount_sats,
            "memo": new.memo,
            "expiry": new.expiry_seconds,
            "external_id": new.external_id,
        }
        if new.webhook:
            order["webhook"] = new.webhook
        call, content = f"POST {_PAYMENTS}", json.dumps(order, separators=(",", ":")).encode()
        answer = self._send(call, "POST", _PAYMENTS, content)
        if answer.status != 201:
            raise failure(call, answer)
        return _read(call, answer, wire.created)

    def received(self, offset: int, limit: int = PAGE) -> wire.PaymentPage:
        """Payments that arrived, those settled last first. Raises `AnswerTooLarge` besides."""
        return self._rows(
            {
                "status": wire.SUCCESS,
                "amount[gt]": 0,
                # Sorted by, but not filtered by: it ignores filters that it does not know.
                "sortby": "updated_at",
                "direction": "desc",
                "limit": limit,
                "offset": offset,
            }
        )

    def with_hash(self, payment_hash: str) -> wire.PaymentPage:
        """The incoming payment with this hash, in whatever state, or nothing.

        A list, since it changes nothing: asking by `/payments/{hash}` marks an invoice that is
        over as failed, shows the outgoing row of a wallet that paid itself, and answers 200 to
        a key it does not know.
        """
        return self._rows({"payment_hash": payment_hash, "amount[gt]": 0, "limit": 2})

    def close(self) -> None:
        """Close the kept connection."""
        self._http.close()

    def _rows(self, query: dict[str, Any]) -> wire.PaymentPage:
        return self._get(_ROWS, wire.payment_page, "?" + urlencode(query))

    def _get(
        self, path: str, read: Callable[[dict[str, Any]], _Result], query: str = ""
    ) -> _Result:
        call = f"GET {path}"
        answer = self._send(call, "GET", path + query)
        if answer.status != 200:
            raise failure(call, answer)
        result = _read(call, answer, read)
        if isinstance(result, wire.PaymentPage):
            return replace(result, answered_at=answer.date)
        return result

    def _send(self, call: str, method: str, path: str, content: bytes | None = None) -> Answer:
        # Everything may be sent twice, and must be: after an answer of 500 LNbits closes the
        # connection without a word.
        try:
            return self._http.call(method, path, content, repeatable=True)
        except TooLarge as exc:
            raise AnswerTooLarge(f"{call}: {exc}") from exc
        except (NotSent, Unreadable) as exc:
            raise ProviderUnavailable(f"{call}: {exc}") from exc
        except Unanswered as exc:
            raise ProviderUnknown(f"{call}: {exc}") from exc


def _read(call: str, answer: Answer, read: Callable[[dict[str, Any]], _Result]) -> _Result:
    try:
        return read(json_object(answer.body))
    except UnreadableBody as exc:
        raise ProviderUnreadable(f"{call}: {exc}") from exc
