"""The endpoints, by the names that faults and counts use: method and path template."""

from dataclasses import dataclass

PING = "GET /"
ACCOUNT = "GET /accounts/{account_id}"
CREATE_INTENT = "POST /accounts/{account_id}/deposit_intents"
INTENT = "GET /accounts/{account_id}/deposit_intents/{id}"
INTENTS = "GET /accounts/{account_id}/deposit_intents"
DEPOSIT = "GET /accounts/{account_id}/deposits/{id}"
DEPOSITS = "GET /accounts/{account_id}/deposits"
WITHDRAW = "POST /accounts/{account_id}/withdrawals"
WITHDRAWAL = "GET /accounts/{account_id}/withdrawals/{id}"
WITHDRAWALS = "GET /accounts/{account_id}/withdrawals"
REGISTER_WEBHOOK = "POST /accounts/{account_id}/webhooks"
WEBHOOK = "GET /accounts/{account_id}/webhooks"
DELETE_WEBHOOK = "DELETE /accounts/{account_id}/webhooks"
PARSE_INVOICE = "PUT /lightning/parse_invoice"
ESTIMATE_FEE = "PUT /lightning/estimate_fee"

PAY = "POST /_sandbox/pay"  # not River's: limits a fault to what paying an invoice sets off
CONTROL = "/_sandbox/"

LISTS = frozenset({INTENTS, DEPOSITS, WITHDRAWALS})
RIVER = frozenset(
    {
        PING,
        ACCOUNT,
        CREATE_INTENT,
        INTENT,
        DEPOSIT,
        WITHDRAW,
        WITHDRAWAL,
        REGISTER_WEBHOOK,
        WEBHOOK,
        DELETE_WEBHOOK,
        PARSE_INVOICE,
        ESTIMATE_FEE,
    }
    | LISTS
)
ENDPOINTS = RIVER | {PAY}


@dataclass(frozen=True)
class Place:
    """Where a request goes: an endpoint's name, and the ids that stood in its path."""

    endpoint: str
    account_id: str | None = None
    ident: str = ""


def locate(method: str, path: str) -> Place:
    """The place a request names; its endpoint need not exist."""
    match path.split("/"):
        case ["", "accounts", account_id]:
            return Place(f"{method} /accounts/{{account_id}}", account_id)
        case ["", "accounts", account_id, collection]:
            return Place(f"{method} /accounts/{{account_id}}/{collection}", account_id)
        case ["", "accounts", account_id, collection, ident]:
            return Place(
                f"{method} /accounts/{{account_id}}/{collection}/{{id}}", account_id, ident
            )
        case _:
            return Place(f"{method} {path}")
