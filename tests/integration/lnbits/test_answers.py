"""What our LNbits client makes of answers, good ones and rubbish, over real sockets.

The good ones have the form that LNbits 1.6.2 was seen to send.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from msty_invoice.domain.deposit import DepositState
from msty_invoice.domain.errors import (
    ProviderError,
    ProviderMisconfigured,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnknown,
    ProviderUnreadable,
    UntrustworthyInvoice,
)
from msty_invoice.domain.invoice import InvoiceOrder, Network
from msty_invoice.lightning.bolt11 import Bolt11, encode
from msty_invoice.lightning.lnbits.client import PAGE, LnbitsClient
from msty_invoice.lightning.lnbits.provider import Lnbits
from tests.integration.river.servers import Behaviour, Conversation, SocketServer, polite

KEY = "0123456789abcdef0123456789abcdef"
WEBHOOK = "https://pay.example/api/lightning/webhooks/lnbits/of-a-test"
HASH, PREIMAGE = "ab" * 32, "cd" * 32
ORDER = InvoiceOrder(2500, "order 42", UUID(int=7))
AT = "2026-11-23T12:00:00.000007+00:00"

Talk = Callable[..., Lnbits]


@pytest.fixture
def servers() -> Iterator[list[SocketServer]]:
    started: list[SocketServer] = []
    yield started
    for server in started:
        server.close()


@pytest.fixture
def talk(servers: list[SocketServer]) -> Iterator[Talk]:
    """A provider in front of a server that behaves as told."""
    clients: list[LnbitsClient] = []

    def talking(*behaviours: Behaviour, seconds: float = 5.0) -> Lnbits:
        server = SocketServer(*behaviours)
        servers.append(server)
        client = LnbitsClient(server.base_url, KEY, seconds)
        clients.append(client)
        return Lnbits(client, Network.MAINNET, WEBHOOK)

    yield talking
    for client in clients:
        client.close()


def bolt11(amount_sats: int = 2500, network: Network = Network.MAINNET) -> str:
    invoice = Bolt11(
        network=network,
        amount_msat=amount_sats * 1000,
        timestamp=1_795_400_000,
        payment_hash=HASH,
        payment_secret="11" * 32,
        description="order 42",
        payee="",
    )
    return encode(invoice, b"\x01" * 32)


def created(**changed: object) -> dict[str, Any]:
    row = {"payment_hash": HASH, "bolt11": bolt11(), "status": "pending", "preimage": PREIMAGE}
    return row | changed


def row(number: int = 0, **changed: object) -> dict[str, Any]:
    """A payment that arrived; a higher number is an earlier one."""
    return {
        "checking_id": f"{number:064x}",
        "payment_hash": f"{number:064x}",
        "amount": 2_500_000,
        "status": "success",
        "bolt11": "lnbc1",
        "preimage": PREIMAGE,
        "updated_at": f"2026-11-23T12:00:{59 - number:02}.000007+00:00",
    } | changed


def once(status: int, body: Any = None, headers: str = "") -> Behaviour:
    def behave(conversation: Conversation) -> None:
        conversation.request()
        conversation.answer(body, status, headers)

    return behave


def list_of(rows: list[dict[str, Any]]) -> Behaviour:
    """Serves limit and offset, as LNbits does, and nothing that sorts or filters."""

    def behave(conversation: Conversation) -> None:
        while True:
            asked = parse_qs(urlsplit(conversation.request().target).query)
            offset, limit = int(asked.get("offset", ["0"])[0]), int(asked["limit"][0])
            page = rows[offset : offset + limit]
            conversation.answer({"data": page, "total": len(rows)})

    return behave


def test_an_order_names_all_that_matters(talk: Talk, servers: list[SocketServer]) -> None:
    issued = talk(once(201, created())).create_invoice(ORDER)

    (request,) = servers[0].requests
    assert (request.method, request.target) == ("POST", "/api/v1/payments")
    assert request.headers["x-api-key"] == KEY
    assert json.loads(request.body) == {
        "out": False, "amount": 2500, "memo": "order 42", "expiry": 3600,
        "external_id": str(ORDER.id), "webhook": WEBHOOK,
    }  # fmt: skip
    assert (issued.provider, issued.provider_ref) == ("lnbits", HASH)
    assert PREIMAGE not in repr(issued)


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "failed"},
        {"status": "success"},
        {"bolt11": bolt11(2501)},
        {"bolt11": bolt11(network=Network.REGTEST)},
        {"bolt11": "lnbc1rubbish"},
        {"payment_hash": "cd" * 32},
    ],
)
def test_what_is_not_the_invoice_asked_for_is_never_shown(
    talk: Talk, changed: dict[str, object]
) -> None:
    with pytest.raises(UntrustworthyInvoice):
        talk(once(201, created(**changed))).create_invoice(ORDER)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, created(), ProviderUnavailable),
        (201, b"", ProviderUnreadable),
        (201, b"<html>", ProviderUnreadable),
        (201, [], ProviderUnreadable),
        (201, {"payment_hash": HASH}, ProviderUnreadable),
        (307, None, ProviderMisconfigured),
        (404, {"detail": "Wallet not found."}, ProviderMisconfigured),
        (429, {"error": "Rate limit exceeded: 200 per 1 minute"}, ProviderUnavailable),
        (500, {"detail": "Unexpected error! ID: 7"}, ProviderUnavailable),
        (520, {"detail": "Invoice amount", "status": "failed"}, ProviderRefused),
        (520, {"detail": "node away", "status": "pending"}, ProviderUnavailable),
    ],
)
def test_every_refusal_has_its_meaning(
    talk: Talk, status: int, body: Any, kind: type[ProviderError]
) -> None:
    with pytest.raises(ProviderError) as caught:
        talk(once(status, body, "Location: /first_install\r\n")).create_invoice(ORDER)

    assert type(caught.value) is kind
    assert KEY not in str(caught.value)


def test_silence_after_an_order_is_unknown(talk: Talk) -> None:
    def silent(conversation: Conversation) -> None:
        conversation.request()
        conversation.silence()

    with pytest.raises(ProviderUnknown):
        talk(silent, seconds=0.3).create_invoice(ORDER)


def test_a_connection_dropped_after_a_500_costs_nothing(talk: Talk) -> None:
    lnbits = talk(once(500, {"detail": "Unexpected error!"}), once(201, created()))
    with pytest.raises(ProviderUnavailable):
        lnbits.create_invoice(ORDER)

    assert lnbits.create_invoice(ORDER).payment_hash == HASH


def test_a_walk_reads_every_row_of_every_page(talk: Talk) -> None:
    lnbits = talk(list_of([row(number) for number in range(2 * PAGE + 1)]))

    token, refs = None, []
    while True:
        page = lnbits.walk(token)
        refs += [deposit.deposit_ref for deposit in page.deposits]
        if (token := page.next_token) is None:
            break

    assert sorted(set(refs)) == [f"{number:064x}" for number in range(2 * PAGE + 1)]


def test_what_arrives_during_a_walk_makes_it_lose_nothing(talk: Talk) -> None:
    rows = [row(number) for number in range(10, 10 + 2 * PAGE)]
    lnbits = talk(list_of(rows))
    first = lnbits.walk(None)
    rows[:0] = [row(number) for number in range(5)]

    second = lnbits.walk(first.next_token)
    third = lnbits.walk(second.next_token)

    seen = {it.deposit_ref for page in (first, second, third) for it in page.deposits}
    assert seen >= {f"{number:064x}" for number in range(10, 10 + 2 * PAGE)}


def test_a_walk_asks_for_what_arrived_and_checks_that_it_did(
    talk: Talk, servers: list[SocketServer]
) -> None:
    rows = [
        row(1),
        row(2, status="pending"),
        row(3, amount=-2_500_000),
        row(4, amount=0),
        row(5, amount=1_999),
        row(6, amount=999),
    ]
    page = talk(list_of(rows)).walk(None)

    asked = parse_qs(urlsplit(servers[0].requests[0].target).query)
    assert asked == {
        "status": ["success"], "amount[gt]": ["0"], "sortby": ["updated_at"],
        "direction": ["desc"], "limit": [str(PAGE)], "offset": ["0"],
    }  # fmt: skip
    assert [(int(it.deposit_ref, 16), it.amount_sats) for it in page.deposits] == [
        (1, 2500), (5, 1), (6, 0),
    ]  # fmt: skip
    assert page.next_token is None


def test_a_page_says_what_time_it_is_at_lnbits(talk: Talk) -> None:
    date = "Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n"

    page = talk(once(200, {"data": [], "total": 0}, date)).walk(None)

    assert page.provider_time == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert (page.deposits, page.next_token) == ((), None)


def test_a_list_in_another_order_is_not_walked(talk: Talk) -> None:
    with pytest.raises(ProviderUnavailable, match="newest first"):
        talk(list_of([row(2), row(1)])).walk(None)


def test_a_page_of_one_moment_is_called_a_gap(talk: Talk) -> None:
    alike = [row(number, updated_at=AT) for number in range(PAGE + 1)]

    assert talk(list_of(alike)).walk(None).gap
    assert not talk(list_of(alike[:-2])).walk(None).gap


def test_rows_too_large_for_a_page_are_read_one_by_one(talk: Talk) -> None:
    rows = [row(number, extra={"x": "x" * 20_000}) for number in range(PAGE)]
    lnbits = talk(list_of(rows))

    page = lnbits.walk(None)

    assert [it.deposit_ref for it in page.deposits] == [f"{0:064x}"]
    assert page.next_token == "1"


@pytest.mark.parametrize(
    "broken",
    [
        {"amount": 2.5}, {"amount": "2500"}, {"amount": True}, {"amount": 10**19},
        {"updated_at": "yesterday"}, {"updated_at": None}, {"updated_at": 1795400000},
        {"status": None}, {"payment_hash": ""}, {"payment_hash": "a\x00"}, {"bolt11": 7},
    ],
)  # fmt: skip
def test_a_row_that_makes_no_sense_hides_none_beside_it(
    talk: Talk, broken: dict[str, object]
) -> None:
    rows = [row(1, **broken), *(row(number) for number in range(2, PAGE + 1))]

    page = talk(list_of(rows)).walk(None)

    assert [it.deposit_ref for it in page.deposits] == [it["payment_hash"] for it in rows[1:]]
    assert page.next_token == str(PAGE - 2)
    named = "payment_hash" not in broken
    assert [it.deposit_ref for it in page.unread] == [f"{1:064x}"] * named
    assert page.gap is not named


def test_a_row_that_makes_no_sense_is_not_taken_for_none(talk: Talk) -> None:
    with pytest.raises(ProviderUnreadable):
        talk(list_of([row(7, amount="2500")])).deposit(f"{7:064x}")


def test_a_settled_invoice_is_a_deposit_with_its_proof(talk: Talk) -> None:
    (found,) = talk(list_of([row(7)])).look(f"{7:064x}")

    assert (found.state, found.amount_sats, found.network) == (DepositState.SUCCEEDED, 2500, "LN")
    assert (found.deposit_ref, found.intent_ref) == (f"{7:064x}",) * 2
    assert (found.proof, found.payment_request) == (PREIMAGE, "lnbc1")
    assert found.deposited_at == datetime(2026, 11, 23, 12, 0, 52, 7, tzinfo=UTC)


def test_an_instant_without_a_zone_is_utc(talk: Talk) -> None:
    (found,) = talk(list_of([row(7, updated_at="2026-11-23T12:00:00")])).look(f"{7:064x}")

    assert found.deposited_at == datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "rows",
    [[], [row(7, status="pending")], [row(7, amount=-1000)], [row(8)], [row(7, status="on hold")]],
)
def test_what_was_not_paid_to_us_is_no_deposit(talk: Talk, rows: list[dict[str, Any]]) -> None:
    lnbits = talk(list_of(rows))

    assert lnbits.deposit(f"{7:064x}") is None
    assert lnbits.look(f"{7:064x}") == []


def test_an_early_preimage_is_never_taken_along(talk: Talk) -> None:
    found = talk(list_of([row(7, status="failed")])).deposit(f"{7:064x}")

    assert found is not None
    assert (found.state, found.proof) == (DepositState.FAILED, None)


def test_an_unknown_wallet_is_not_an_unpaid_invoice(talk: Talk) -> None:
    with pytest.raises(ProviderMisconfigured):
        talk(once(404, {"detail": "Wallet not found."})).look(HASH)


def test_an_admin_key_is_noticed(talk: Talk) -> None:
    wallet = {"name": "till", "balance": 1_999}
    assert talk(polite(wallet)).balance() == 1
    talk(polite(wallet)).ping()

    with pytest.raises(ProviderMisconfigured, match="admin key"):
        talk(polite(wallet | {"id": "w"})).ping()


@pytest.mark.parametrize("rubbish", [{}, {"balance": 7}, {"name": "x"}, {"paid": True}])
def test_another_service_is_not_taken_for_lnbits(talk: Talk, rubbish: dict[str, object]) -> None:
    with pytest.raises(ProviderUnavailable):
        talk(polite(rubbish)).ping()
