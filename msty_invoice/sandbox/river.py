"""River's API: who may call, and what answers which endpoint (river-api.md §4)."""

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from msty_invoice.sandbox import endpoints
from msty_invoice.sandbox.ledger import Ledger
from msty_invoice.sandbox.receiving import Receiving
from msty_invoice.sandbox.registration import Registration
from msty_invoice.sandbox.sending import Sending
from msty_invoice.sandbox.wire import Answer, Call, WireError, not_found


@dataclass(frozen=True)
class Credentials:
    """The account, and its Basic pair: the API key is the username. An empty password is any."""

    account_id: str
    api_key: str = field(repr=False)
    password: str = field(default="", repr=False)

    def check(self, header: str | None, account_id: str | None) -> None:
        """Raises `WireError` 401; another account's path is refused like a wrong key."""
        username, _, password = _basic(header).partition(":")
        if not username:
            raise WireError(401, "AUTH_ERROR", "MISSING_API_KEY")
        known = hmac.compare_digest(username.encode(), self.api_key.encode())
        if self.password:
            known &= hmac.compare_digest(password.encode(), self.password.encode())
        if not known or account_id not in (None, self.account_id):
            raise WireError(401, "AUTH_ERROR", "INVALID_API_KEY")


Handlers = dict[str, Callable[[Call], Answer]]


def _receiving(receiving: Receiving) -> Handlers:
    return {
        endpoints.CREATE_INTENT: receiving.create_intent,
        endpoints.INTENT: receiving.intent,
        endpoints.INTENTS: receiving.intents,
        endpoints.DEPOSIT: receiving.deposit,
        endpoints.DEPOSITS: receiving.deposits,
    }


def _sending(sending: Sending) -> Handlers:
    return {
        endpoints.WITHDRAW: sending.withdraw,
        endpoints.WITHDRAWAL: sending.withdrawal,
        endpoints.WITHDRAWALS: sending.withdrawals,
        endpoints.PARSE_INVOICE: sending.parse_invoice,
        endpoints.ESTIMATE_FEE: sending.estimate_fee,
    }


def _registration(registration: Registration) -> Handlers:
    return {
        endpoints.REGISTER_WEBHOOK: registration.register,
        endpoints.WEBHOOK: registration.webhook,
        endpoints.DELETE_WEBHOOK: registration.delete,
    }


class River:
    """Answers calls that were let in."""

    def __init__(
        self,
        account_id: str,
        ledger: Ledger,
        receiving: Receiving,
        sending: Sending,
        registration: Registration,
    ) -> None:
        self._account_id = account_id
        self._ledger = ledger
        self._handlers: Handlers = {
            endpoints.PING: lambda _: Answer(200),
            endpoints.ACCOUNT: self._account,
            **_receiving(receiving),
            **_sending(sending),
            **_registration(registration),
        }

    def answer(self, call: Call) -> Answer:
        handler = self._handlers.get(call.endpoint)
        try:
            return handler(call) if handler else not_found().answer
        except WireError as exc:
            return exc.answer

    def _account(self, call: Call) -> Answer:
        return Answer(
            200,
            {
                "id": self._account_id,
                "balance": self._ledger.balance_sats,
                "available_balance": self._ledger.available_sats,
            },
        )


def _basic(header: str | None) -> str:
    """The `username:password` in an Authorization header, or "" if it holds none."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
