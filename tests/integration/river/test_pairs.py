"""The client sends and reads what was written by hand from River's documents."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from msty_invoice.domain.errors import (
    ProviderMisconfigured,
    ProviderRefused,
    UntrustworthyInvoice,
)
from msty_invoice.domain.invoice import InvoiceOrder, Network
from msty_invoice.lightning.river.client import RiverClient
from msty_invoice.lightning.river.provider import River
from msty_invoice.lightning.river.wire import Account, Deposit, DepositPage, Intent, Webhook
from tests.integration.river.conftest import Serve
from tests.integration.river.servers import Conversation
from tests.wire.pairs import ACCOUNT_ID, API_KEY, get_pair, load_pairs

HOOK = "https://pay.example/api/lightning/webhooks/river"
SECRET = "00112233445566778899aabbccddeeff" * 2
PAID_AT = datetime(2023, 11, 14, 22, 13, 29, tzinfo=UTC)
INTENT = Intent("di_EXAMPLE", "lnbcrt25u1EXAMPLE", "LN")
SMALL_INTENT = Intent("di_EXAMPLE", "lnbcrt10n1EXAMPLE", "LN")
PROOF = "0001020304050607080900010203040506070809000102030405060708090102"
DEPOSIT = Deposit("dep_EXAMPLE", INTENT, 2500, "LN", PROOF, "SUCCESS", PAID_AT)


@dataclass(frozen=True)
class Made:
    """How the client makes a pair's request, and what comes of the answer."""

    call: Callable[[RiverClient], object]
    result: object
    account_id: str = ACCOUNT_ID
    api_key: str = API_KEY


MADE = {
    "ping": Made(RiverClient.ping, None),
    "ping-with-a-wrong-key": Made(RiverClient.ping, ProviderMisconfigured, api_key="wrong"),
    "another-account": Made(RiverClient.account, ProviderMisconfigured, account_id="acc_OTHER"),
    "account": Made(RiverClient.account, Account("acc_EXAMPLE", 1_500_000, 1_480_000)),
    "create-an-invoice": Made(lambda c: c.create_intent(2500, "order 42"), INTENT),
    "create-an-invoice-without-a-label": Made(lambda c: c.create_intent(1, None), SMALL_INTENT),
    "create-with-a-wrong-amount": Made(lambda c: c.create_intent(-1, "order 42"), ProviderRefused),
    "deposit": Made(lambda c: c.find_deposit("dep_EXAMPLE"), DEPOSIT),
    "deposit-not-found": Made(lambda c: c.find_deposit("dep_NONE"), None),
    "deposits-page": Made(RiverClient.deposits, DepositPage((DEPOSIT,), None)),
    "register-the-webhook": Made(lambda c: c.register_webhook(HOOK), Webhook(HOOK, SECRET, True)),
    "register-a-second-webhook": Made(
        lambda c: c.register_webhook("https://pay.example/other"), ProviderRefused
    ),
    "webhook": Made(RiverClient.find_webhook, Webhook(HOOK, None, True)),
    "delete-the-webhook": Made(lambda c: c.delete_webhook(HOOK), None),
    "no-webhook": Made(RiverClient.find_webhook, None),
}

# Malformed, which the client never is, or not yet needed by the service.
NOT_MADE = {
    "ping-without-a-key", "create-without-an-amount", "trailing-slash", "too-large-a-page",
    "intent", "intents-page", "parse-an-invoice", "estimate-a-fee", "pay", "withdrawal",
    "withdrawals-page",
}  # fmt: skip


def test_every_pair_is_made_or_left_for_a_reason() -> None:
    assert {pair.name for pair in load_pairs()} == MADE.keys() | NOT_MADE


@pytest.mark.parametrize("name", MADE)
def test_the_client_says_and_hears_what_the_pair_says(serve: Serve, name: str) -> None:
    pair = get_pair(name).filled(deposit="dep_EXAMPLE")
    made = MADE[name]

    def replay(conversation: Conversation) -> None:
        conversation.request()
        conversation.answer(pair.answer, pair.status)

    server = serve(replay)
    client = RiverClient(server.base_url, made.account_id, made.api_key)
    assert outcome(lambda: made.call(client)) == made.result
    client.close()

    (request,) = server.requests
    target = urlsplit(request.target)
    assert (request.method, target.path) == (pair.method, pair.path)
    assert parse_qs(target.query) == {key: [value] for key, value in pair.query.items()}
    assert request.headers["authorization"] == pair.authorization
    assert request.headers["accept-encoding"] == "identity"
    assert (json.loads(request.body) if request.body else None) == pair.body


def outcome(call: Callable[[], Any]) -> object:
    """The result, or the class of the error."""
    try:
        return call()
    except (ProviderMisconfigured, ProviderRefused) as exc:
        return type(exc)


def test_pages_go_on_where_the_last_ended(serve: Serve) -> None:
    def replay(conversation: Conversation) -> None:
        conversation.request()
        conversation.answer({"deposits": [], "next_timestamp": 1700000000000})

    server = serve(replay)
    client = RiverClient(server.base_url, ACCOUNT_ID, API_KEY)
    page = client.deposits(limit=1, next_timestamp=1700000000001)
    client.close()
    assert page == DepositPage((), 1700000000000)
    query = parse_qs(urlsplit(server.requests[0].target).query)
    assert query == {"limit": ["1"], "next_timestamp": ["1700000000001"]}


@pytest.mark.parametrize("limit", [0, 26])
def test_a_page_the_api_would_refuse_is_not_asked_for(limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 25"):
        RiverClient("http://127.0.0.1:1", ACCOUNT_ID, API_KEY).deposits(limit)


def test_an_id_cannot_leave_its_place_in_the_path(serve: Serve) -> None:
    def replay(conversation: Conversation) -> None:
        conversation.request()
        conversation.answer(None, 404)

    server = serve(replay)
    client = RiverClient(server.base_url + "/v1", "../acc", API_KEY)
    assert client.find_deposit("../../webhooks?x=1 #\r\n") is None
    client.close()
    assert server.requests[0].target == (
        "/v1/accounts/..%2Facc/deposits/..%2F..%2Fwebhooks%3Fx%3D1%20%23%0D%0A"
    )


def test_a_password_is_sent_if_there_is_one(serve: Serve) -> None:
    def replay(conversation: Conversation) -> None:
        conversation.request()
        conversation.answer(None)

    server = serve(replay)
    client = RiverClient(server.base_url, ACCOUNT_ID, "key", "secret")
    client.ping()
    client.close()
    assert server.requests[0].headers["authorization"] == "Basic a2V5OnNlY3JldA=="


def test_an_intent_that_is_not_for_lightning_is_never_shown(serve: Serve) -> None:
    def replay(conversation: Conversation) -> None:
        conversation.request()
        conversation.answer(get_pair("create-an-invoice").answer | {"network": "BTC"})

    client = RiverClient(serve(replay).base_url, ACCOUNT_ID, API_KEY)
    with pytest.raises(UntrustworthyInvoice, match="not for Lightning"):
        River(client, Network.REGTEST).create_invoice(InvoiceOrder(2500))
    client.close()
