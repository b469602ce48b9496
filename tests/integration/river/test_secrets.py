"""No error, log line or repr tells the key, the memo or a BOLT11, whatever the server repeats."""

import json
import logging
import traceback

import pytest

from msty_invoice.domain.errors import ProviderError
from msty_invoice.domain.invoice import InvoiceOrder, Network
from msty_invoice.lightning.river.client import RiverClient
from msty_invoice.lightning.river.provider import River
from tests.integration.river.conftest import Serve
from tests.integration.river.servers import Behaviour, Conversation

KEY = "key-canary-6f1d"
BASIC = "a2V5LWNhbmFyeS02ZjFkOg=="
MEMO = "memo-canary-77ab"
BOLT11 = "lnbcrt25u1canary0qv"
CANARIES = (KEY, BASIC, MEMO, BOLT11)
EVERYTHING = " ".join(CANARIES)


def says(status: int, body: object) -> Behaviour:
    def behave(conversation: Conversation) -> None:
        conversation.request()
        conversation.answer(body, status)

    return behave


def in_the_status_line(conversation: Conversation) -> None:
    conversation.request()
    conversation.write(f"{EVERYTHING}\r\n\r\n".encode())
    conversation.silence()


def in_a_cut_body(conversation: Conversation) -> None:
    conversation.request()
    conversation.write(f"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{EVERYTHING}".encode())


def in_a_header(conversation: Conversation) -> None:
    conversation.request()
    conversation.write(f"HTTP/1.1 503 {EVERYTHING}\r\n{EVERYTHING}\r\n\r\n".encode())


INTENT = {"id": "di_1", "destination": BOLT11, "network": "LN", "timestamp": 1700000000000}
REPEATERS: dict[str, Behaviour] = {
    "status line": in_the_status_line,
    "cut body": in_a_cut_body,
    "header": in_a_header,
    "no JSON": says(200, EVERYTHING.encode()),
    "another type": says(200, {"id": [EVERYTHING], "destination": BOLT11}),
    "timestamp": says(200, INTENT | {"timestamp": EVERYTHING}),
    "broken BOLT11": says(200, INTENT),
    "category": says(400, {"category": EVERYTHING, "code": KEY, "error_param": MEMO}),
    "wrapped": says(400, {"error": {"category": BOLT11, "code": MEMO, "error_param": KEY}}),
    "reason": says(401, {"error": EVERYTHING}),
    "bad gateway": says(502, json.dumps(EVERYTHING).encode()),
    "silence": Conversation.silence,
}


@pytest.mark.parametrize("name", REPEATERS)
def test_what_the_server_repeats_is_told_to_nobody(
    serve: Serve, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = RiverClient(serve(REPEATERS[name]).base_url, "acc", KEY, deadline_seconds=0.5)
    river = River(client, Network.REGTEST)
    with pytest.raises(ProviderError) as caught:
        river.create_invoice(InvoiceOrder(2500, MEMO))
    client.close()
    told = everything_about(caught.value) + caplog.text + repr(client) + repr(river)
    assert [canary for canary in CANARIES if canary in told] == []


def everything_about(error: BaseException) -> str:
    """Every text and repr along the chain, and the traceback as a log would have it."""
    told = "".join(traceback.format_exception(error))
    link: BaseException | None = error
    while link is not None:
        told += f"{link!s} {link!r} {link.args!r} {vars(link)!r}"
        link = link.__cause__ or link.__context__
    return told
