"""Whatever the other side does, a call ends in time, with the right error, and the next is well."""

import gzip
import itertools
import socket
import time
from collections.abc import Callable

import pytest

from msty_invoice.domain.errors import (
    ProviderError,
    ProviderUnavailable,
    ProviderUnknown,
    ProviderUnreadable,
)
from tests.integration.river.conftest import Connect, Serve
from tests.integration.river.servers import INTENT, Behaviour, Conversation, one_answer_then, polite

ENDED_IN_TIME_SECONDS = 2.0  # for a deadline of 0.5, on a machine that may be busy


well = polite(INTENT)


def after_request(then: Callable[[Conversation], None]) -> Behaviour:
    def behave(conversation: Conversation) -> None:
        conversation.request()
        then(conversation)

    return behave


def answers(body: object, status: int = 200, headers: str = "") -> Behaviour:
    return after_request(lambda conversation: conversation.answer(body, status, headers))


def writes(data: bytes, hang: bool = False) -> Behaviour:
    def then(conversation: Conversation) -> None:
        conversation.write(data)
        if hang:
            conversation.silence()

    return after_request(then)


def floods(head: bytes, piece: bytes) -> Behaviour:
    def then(conversation: Conversation) -> None:
        conversation.write(head)
        while not conversation.server.closing.is_set():
            conversation.write(piece)

    return after_request(then)


def drips(head: bytes, rest: bytes) -> Behaviour:
    def then(conversation: Conversation) -> None:
        conversation.write(head)
        conversation.drip(rest)

    return after_request(then)


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
LONG = b"Content-Length: 100000\r\n\r\n"
BOMB = gzip.compress(b" " * 50_000_000)

UNAVAILABLE: dict[str, Behaviour] = {
    "endless body": floods(OK + b"\r\n", b"x" * 4096),
    "a malformed chunk": writes(OK + CHUNKED + b"zz\r\n", hang=True),
    "announced huge": floods(OK + b"Content-Length: 9999999999\r\n\r\n", b"x" * 4096),
    "chunked without end": floods(OK + CHUNKED, b"400\r\n" + b"x" * 1024 + b"\r\n"),
    "a chunk of size -1": floods(OK + CHUNKED + b"-1\r\n", b"x" * 4096),
    "endless header": floods(OK + b"X: ", b"x" * 4096),
    "endless headers": floods(OK, b"X: " + b"x" * 1000 + b"\r\n"),
    "huge header": writes(OK + b"X: " + b"x" * 70_000 + b"\r\n\r\n", hang=True),
    "continues for ever": floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "not HTTP": writes(b"SSH-2.0-OpenSSH_9.2\r\n", hang=True),
    "another HTTP": writes(b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "HTML": answers(b"<html>hello</html>", headers="Content-Type: text/html\r\n"),
    "empty": answers(None),
    "gzip bomb": answers(BOMB[:60_000], headers="Content-Encoding: gzip\r\n"),
    "array": answers([INTENT]),
    "nested": answers(b"[" * 60_000),
    "Retry-After": answers({}, 503, "Retry-After: 21600\r\n"),
    "too many": answers({}, 429, "Retry-After: 21600\r\n"),
    "redirect": answers(INTENT, 302, "Location: /accounts/elsewhere\r\n"),
    "redirect without Location": answers(INTENT, 302),
    "created": answers(INTENT, 201),
    "accepted": answers(INTENT, 202),
    "no content": answers(None, 204),
    "a gateway's 502": answers(b"<html>Bad Gateway</html>", 502),
}  # fmt: skip

UNKNOWN: dict[str, Behaviour] = {
    "says nothing": lambda conversation: conversation.silence(),
    "reads and says nothing": after_request(lambda conversation: conversation.silence()),
    "drips the status line": drips(b"", b"HTTP/1.1 " + b"2" * 1000),
    "drips headers": drips(OK + b"X: ", b"x" * 1000),
    "drips the body": drips(OK + LONG, b" " * 1000),
    "drips chunks": drips(OK + CHUNKED, b"1\r\n \r\n" * 200),
    "stops in mid-body": writes(OK + LONG + b"{", hang=True),
    "closes before a byte": after_request(lambda conversation: None),
    "closes in the status line": writes(b"HT"),
    "closes in the headers": writes(OK + b"Content-Le"),
    "closes with no length": writes(OK + b"\r\n{}"),
    "closes in mid-body": writes(OK + LONG + b"{"),
    "closes in a chunk": writes(OK + CHUNKED + b"40\r\n{"),
}


def ends_with(error: type[ProviderError], call: Callable[[], object]) -> None:
    began = time.monotonic()
    with pytest.raises(error) as caught:
        call()
    assert isinstance(caught.value, error)
    assert time.monotonic() - began < ENDED_IN_TIME_SECONDS


@pytest.mark.parametrize("name", UNAVAILABLE)
def test_an_answer_that_is_none_is_unavailable(serve: Serve, connect: Connect, name: str) -> None:
    client = connect(serve(UNAVAILABLE[name], well).base_url)
    ends_with(ProviderUnavailable, lambda: client.create_intent(1, None))
    assert client.create_intent(1, None).id == "di_1"


@pytest.mark.parametrize("name", UNKNOWN)
def test_sent_without_an_answer_is_unknown(serve: Serve, connect: Connect, name: str) -> None:
    client = connect(serve(UNKNOWN[name], well).base_url)
    ends_with(ProviderUnknown, lambda: client.create_intent(1, None))
    assert client.create_intent(1, None).id == "di_1"


@pytest.mark.parametrize("name", sorted(UNKNOWN.keys() - {"closes before a byte"}))
def test_a_kept_connection_is_no_better(serve: Serve, connect: Connect, name: str) -> None:
    server = serve(one_answer_then(UNKNOWN[name]), well)
    client = connect(server.base_url)
    client.create_intent(1, None)
    ends_with(ProviderUnknown, lambda: client.create_intent(1, None))
    assert client.create_intent(1, None).id == "di_1"
    assert server.connections == 2


def test_a_refused_connection_was_not_sent(serve: Serve, connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = connect(f"http://127.0.0.1:{port}")
    ends_with(ProviderUnavailable, lambda: client.create_intent(1, None))


def test_a_black_hole_was_not_sent(black_hole: int, connect: Connect) -> None:
    client = connect(f"http://127.0.0.1:{black_hole}")
    ends_with(ProviderUnavailable, lambda: client.create_intent(1, None))


def test_a_redirect_is_not_followed(serve: Serve, connect: Connect) -> None:
    elsewhere = serve(well)
    server = serve(answers(INTENT, 307, f"Location: {elsewhere.base_url}/\r\n"))
    ends_with(ProviderUnavailable, lambda: connect(server.base_url).create_intent(1, None))
    assert elsewhere.connections == 0
    assert len(server.requests) == 1


def test_proxies_in_the_environment_are_ignored(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for name, scheme in itertools.product(("PROXY", "proxy"), ("HTTP_", "http_", "ALL_", "all_")):
        monkeypatch.setenv(scheme + name, closed)
    assert connect(serve(well).base_url).create_intent(1, None).id == "di_1"


def test_cookies_are_not_kept(serve: Serve, connect: Connect) -> None:
    def sets_a_cookie(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.answer(INTENT, headers="Set-Cookie: crumb=1; Path=/\r\n")

    server = serve(sets_a_cookie)
    client = connect(server.base_url)
    client.create_intent(1, None)
    client.create_intent(1, None)
    assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize(
    "date", ["soon", "Mon, 32 Nov 2026 00:00:00 GMT", "Mon, 23 Nov 2026 00:00:00 +99999999999999"]
)
def test_a_date_that_is_none_is_no_date(serve: Serve, connect: Connect, date: str) -> None:
    listed = answers({"deposits": []}, headers=f"Date: {date}\r\n")

    assert connect(serve(listed).base_url).deposits().answered_at is None


@pytest.mark.parametrize(
    "answer",
    [
        answers({"id": "dep_1", "state": "SUCCESS"}),
        answers({"id": "x" * 70_000}),
        answers(b"<html>"),
    ],
)
def test_a_deposit_that_cannot_be_read_is_told_from_a_river_that_is_away(
    serve: Serve, connect: Connect, answer: Behaviour
) -> None:
    client = connect(serve(answer).base_url)
    with pytest.raises(ProviderUnreadable):
        client.find_deposit("dep_1")
