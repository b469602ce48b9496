"""One connection is kept, found dead in good time, and nothing is sent twice that must not be."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pytest

from msty_invoice.domain.errors import ProviderUnavailable, ProviderUnknown
from msty_invoice.lightning.deadline import Deadline
from msty_invoice.lightning.dialing import Address, Dialer
from msty_invoice.lightning.http import HttpService
from msty_invoice.lightning.kept_connection import MAX_IDLE_SECONDS
from tests.fakes import Clock
from tests.integration.river.conftest import Connect, Serve
from tests.integration.river.servers import INTENT, Conversation, one_answer_then, polite

HOOK = "https://pay.example/hook"


def hears_and_hangs_up(conversation: Conversation) -> None:
    conversation.request()


def test_the_connection_is_made_by_the_first_call_and_kept(serve: Serve, connect: Connect) -> None:
    server = serve(polite(INTENT))
    client = connect(server.base_url)
    assert server.connections == 0, "a worker forks after it has made its client"
    for _ in range(3):
        client.create_intent(1, None)
    assert (server.connections, len(server.requests)) == (1, 3)


def test_head_and_body_arrive_in_one_packet(serve: Serve, connect: Connect) -> None:
    packets = []

    def reads_once(conversation: Conversation) -> None:
        while packet := conversation.sock.recv(65536):
            packets.append(packet)
            conversation.answer(INTENT)

    client = connect(serve(reads_once).base_url)
    for _ in range(20):  # now and then two packets arrive as one
        client.create_intent(1, None)
    assert all(packet.endswith(b'{"amount":1,"network":"LN"}') for packet in packets)


def test_a_connection_the_server_ends_is_not_kept(serve: Serve, connect: Connect) -> None:
    def answers_and_closes(conversation: Conversation) -> None:
        conversation.request()
        conversation.answer(INTENT, headers="Connection: close\r\n")

    server = serve(answers_and_closes)
    client = connect(server.base_url)
    client.create_intent(1, None)
    client.create_intent(1, None)
    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_closed_connection_is_noticed_before_anything_is_sent(
    serve: Serve, connect: Connect
) -> None:
    closed = Event()

    def answers_and_hangs_up(conversation: Conversation) -> None:
        conversation.request()
        conversation.answer(INTENT)
        conversation.sock.shutdown(socket.SHUT_RDWR)
        closed.set()

    webhook = {"url": HOOK, "secret": "00ff", "enabled": True}
    server = serve(answers_and_hangs_up, polite(webhook))
    client = connect(server.base_url)
    client.create_intent(1, None)
    assert closed.wait(2)
    assert client.register_webhook(HOOK).secret == "00ff", "this call may not be sent twice"
    assert len(server.requests) == 2


def test_bytes_that_answer_nothing_are_not_taken_for_an_answer(
    serve: Serve, connect: Connect
) -> None:
    heard, told = Event(), Event()

    def says_more_than_asked(conversation: Conversation) -> None:
        conversation.request()
        conversation.answer(INTENT)
        heard.wait(2)
        conversation.answer(INTENT | {"id": "di_of_another"})
        told.set()
        conversation.silence()

    client = connect(serve(says_more_than_asked, polite(INTENT)).base_url)
    client.create_intent(1, None)
    heard.set()
    assert told.wait(2)
    assert client.create_intent(1, None).id == "di_1"


def test_a_create_is_sent_once_more_if_the_kept_connection_dies(
    serve: Serve, connect: Connect
) -> None:
    server = serve(one_answer_then(hears_and_hangs_up), polite(INTENT))
    client = connect(server.base_url)
    client.create_intent(1, None)
    assert client.create_intent(2, None).id == "di_1"
    assert (server.connections, len(server.requests)) == (2, 3)


def test_a_create_is_sent_twice_at_most(serve: Serve, connect: Connect) -> None:
    server = serve(one_answer_then(hears_and_hangs_up), hears_and_hangs_up)
    client = connect(server.base_url)
    client.create_intent(1, None)
    with pytest.raises(ProviderUnknown):
        client.create_intent(2, None)
    assert len(server.requests) == 3


def test_a_create_that_may_have_arrived_stays_unknown(serve: Serve, connect: Connect) -> None:
    def hears_and_closes_the_shop(conversation: Conversation) -> None:
        conversation.request()
        conversation.server.stop_listening()

    client = connect(serve(one_answer_then(hears_and_closes_the_shop)).base_url)
    client.create_intent(1, None)
    with pytest.raises(ProviderUnknown):
        client.create_intent(2, None)


def test_what_may_not_be_repeated_is_sent_once(serve: Serve, connect: Connect) -> None:
    server = serve(one_answer_then(hears_and_hangs_up), polite(INTENT))
    client = connect(server.base_url)
    client.create_intent(1, None)
    with pytest.raises(ProviderUnknown):
        client.register_webhook(HOOK)
    assert len(server.requests) == 2


def test_a_fresh_connection_that_dies_is_not_tried_again(serve: Serve, connect: Connect) -> None:
    server = serve(hears_and_hangs_up, polite(INTENT))
    with pytest.raises(ProviderUnknown):
        connect(server.base_url).create_intent(1, None)
    assert len(server.requests) == 1


def test_a_connection_idle_for_long_is_not_trusted(serve: Serve) -> None:
    clock = Clock()
    server = serve(polite({}))
    service = HttpService(server.base_url, {}, 5.0, clock=clock.monotonic)
    service.call("GET", "/", repeatable=False)
    clock.advance(seconds=MAX_IDLE_SECONDS - 1)
    service.call("GET", "/", repeatable=False)
    assert server.connections == 1
    clock.advance(seconds=MAX_IDLE_SECONDS + 1)
    service.call("GET", "/", repeatable=False)
    service.close()
    assert server.connections == 2


def address(port: int) -> Address:
    return socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)


def test_the_next_address_is_tried_when_one_is_silent(serve: Serve, black_hole: int) -> None:
    deadline = Deadline()
    deadline.start(1.0)
    server = serve(polite({}))
    dialer = Dialer(
        "two.example",
        1,
        deadline,
        None,
        lambda *_, **__: [address(black_hole), address(server.port)],
    )
    with dialer.dial() as connection:
        assert connection.getpeername() == ("127.0.0.1", server.port)
        assert deadline.left() > 0.2


@contextmanager
def slow_names(lookups: list[str], port: int) -> Iterator[tuple[Dialer, Deadline, Event]]:
    answer = Event()

    def resolve(host: str, *_: object, **__: object) -> list[Address]:
        lookups.append(host)
        answer.wait(5)
        return [address(port)]

    deadline = Deadline()
    yield Dialer("slow.example", 1, deadline, None, resolve), deadline, answer
    answer.set()


def test_a_slow_name_lookup_ends_by_the_deadline_and_is_not_piled_up(serve: Serve) -> None:
    lookups: list[str] = []
    with slow_names(lookups, serve(polite({})).port) as (dialer, deadline, answer):
        for _ in range(3):
            deadline.start(0.05)
            with pytest.raises(TimeoutError):
                dialer.dial()
        answer.set()
        deadline.start(2)
        dialer.dial().close()
    assert lookups == ["slow.example"]


def test_a_name_without_an_address_was_not_sent(connect: Connect) -> None:
    client = connect("http://" + "a" * 64 + ".invalid")
    with pytest.raises(ProviderUnavailable, match="no connection"):
        client.ping()
