"""River's HTTP API, as far as this service uses it."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from msty_invoice.domain.errors import ProviderUnavailable, ProviderUnknown, ProviderUnreadable
from msty_invoice.lightning.http import Answer, HttpService
from msty_invoice.lightning.kept_connection import NotSent, TooLarge, Unanswered, Unreadable
from msty_invoice.lightning.river import endpoints, wire
from msty_invoice.lightning.river.endpoints import Endpoint
from msty_invoice.lightning.river.failures import AnswerTooLarge, failure

LARGEST_PAGE = 25  # the API refuses more

_Result = TypeVar("_Result")


class RiverClient:
    """One account at River. One thread at a time; opens nothing before the first call.

    Every method ends within `deadline_seconds` and raises `ProviderMisconfigured` (key or
    account), `ProviderRefused` (their 4xx about this call), `ProviderUnavailable` (not sent,
    or an answer that is none; `ProviderUnreadable` if it is 200 and not what is documented) or
    `ProviderUnknown` (sent, no answer).
    """

    def __init__(
        self,
        base_url: str,
        account_id: str,
        api_key: str,
        api_secret: str = "",
        deadline_seconds: float = 8.0,
        ca_file: str | None = None,
        http: Callable[..., HttpService] = HttpService,
    ) -> None:
        headers = {
            "Authorization": _basic(api_key, api_secret),
            "Content-Type": "application/json",
            "User-Agent": "msty-invoice",
        }
        self._http = http(base_url, headers, deadline_seconds, ca_file)
        self._account_id = account_id

    def ping(self) -> None:
        """Return if River answers and accepts the key."""
        self._answer(endpoints.PING)

    def account(self) -> wire.Account:
        """The balance."""
        return self._ask(endpoints.ACCOUNT, wire.account)

    def create_intent(self, amount_sats: int, label: str | None) -> wire.Intent:
        """Ask for an invoice. `label` is the payer's memo and may be left out."""
        order: dict[str, Any] = {"amount": amount_sats, "network": wire.LIGHTNING}
        if label:
            order["label"] = label
        return self._ask(endpoints.CREATE_INTENT, wire.intent, body=order)

    def find_deposit(self, deposit_id: str) -> wire.Deposit | None:
        """The deposit with this id, or None."""
        return self._find(endpoints.DEPOSIT, wire.deposit, deposit_id)

    def deposits(
        self, limit: int = LARGEST_PAGE, next_timestamp: int | None = None
    ) -> wire.DepositPage:
        """A page of 1 to 25 deposits, the newest first or from where an earlier page ended.

        Raises `AnswerTooLarge` besides, of which fewer may be readable.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"a page has 1 to {LARGEST_PAGE} deposits")
        query = {"limit": limit}
        if next_timestamp:
            query["next_timestamp"] = next_timestamp
        answer = self._answer(endpoints.DEPOSITS, query=query)
        return replace(
            _read(endpoints.DEPOSITS, answer, wire.deposit_page), answered_at=answer.date
        )

    def register_webhook(self, url: str) -> wire.Webhook:
        """Register the account's one webhook; its secret is told now and never again."""
        return self._ask(endpoints.REGISTER_WEBHOOK, wire.webhook, body={"url": url})

    def find_webhook(self) -> wire.Webhook | None:
        """The account's webhook, or None."""
        return self._find(endpoints.WEBHOOK, wire.webhook)

    def delete_webhook(self, url: str) -> None:
        """Delete the webhook, also if there is none any more."""
        self._answer(endpoints.DELETE_WEBHOOK, body={"url": url})

    def close(self) -> None:
        """Close the kept connection."""
        self._http.close()

    def _ask(
        self,
        endpoint: Endpoint,
        read: Callable[[dict[str, Any]], _Result],
        query: Mapping[str, int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> _Result:
        return _read(endpoint, self._answer(endpoint, query=query, body=body), read)

    def _find(
        self, endpoint: Endpoint, read: Callable[[dict[str, Any]], _Result], object_id: str = ""
    ) -> _Result | None:
        answer = self._answer(endpoint, object_id)
        return None if answer.status == 404 else _read(endpoint, answer, read)

    def _answer(
        self,
        endpoint: Endpoint,
        object_id: str = "",
        query: Mapping[str, int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """An answer of 200, or of 404 where that means "there is none"."""
        path = endpoint.path(self._account_id, object_id)
        if query:
            path += "?" + urlencode(query)
        content = json.dumps(body, separators=(",", ":")).encode() if body is not None else None
        answer = self._send(endpoint, path, content)
        if answer.status == 200 or (answer.status == 404 and endpoint.single):
            return answer
        raise failure(endpoint, answer)

    def _send(self, endpoint: Endpoint, path: str, content: bytes | None) -> Answer:
        try:
            return self._http.call(endpoint.method, path, content, repeatable=endpoint.repeatable)
        except (NotSent, Unreadable) as exc:
            raise _failure(endpoint, exc)(f"{endpoint}: {exc}") from exc
        except Unanswered as exc:
            raise ProviderUnknown(f"{endpoint}: {exc}") from exc


def _failure(endpoint: Endpoint, exc: NotSent | Unreadable) -> type[ProviderUnavailable]:
    if not isinstance(exc, TooLarge):
        return ProviderUnavailable
    # Only a list may be asked for in smaller parts.
    return AnswerTooLarge if endpoint is endpoints.DEPOSITS else ProviderUnreadable


def _read(endpoint: Endpoint, answer: Answer, read: Callable[[dict[str, Any]], _Result]) -> _Result:
    try:
        return read(wire.json_object(answer.body))
    except wire.UnreadableBody as exc:
        raise ProviderUnreadable(f"{endpoint}: {exc}") from exc


def _basic(user: str, password: str) -> str:
    """RFC 7617. River takes the API key as user name and, so far, no password."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
