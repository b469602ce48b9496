"""Certificates and names are verified, and the deadline holds inside TLS."""

import ssl
import time
from collections.abc import Callable

import pytest

from msty_invoice.domain.errors import ProviderError, ProviderUnavailable, ProviderUnknown
from msty_invoice.lightning.river.client import RiverClient
from tests.integration.river.conftest import Connect, Serve
from tests.integration.river.servers import INTENT, Behaviour, Conversation, polite


@pytest.fixture
def tls(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(connect: Connect, certificate: str) -> Callable[[int], RiverClient]:
    return lambda port: connect(f"https://localhost:{port}", ca_file=certificate)


Trusting = Callable[[int], RiverClient]


def ends_with(error: type[ProviderError], client: RiverClient) -> None:
    began = time.monotonic()
    with pytest.raises(error):
        client.create_intent(1, None)
    assert time.monotonic() - began < 2


def test_a_verified_connection_is_kept(
    serve: Serve, trusting: Trusting, tls: ssl.SSLContext
) -> None:
    server = serve(polite(INTENT), tls=tls)
    client = trusting(server.port)
    for _ in range(3):
        assert client.create_intent(1, None).id == "di_1"
    assert server.connections == 1
    assert server.requests[0].headers["host"] == f"localhost:{server.port}"


def test_an_unknown_authority_is_refused(
    serve: Serve, connect: Connect, tls: ssl.SSLContext
) -> None:
    server = serve(polite(INTENT), tls=tls)
    ends_with(ProviderUnavailable, connect(f"https://localhost:{server.port}"))
    assert not server.requests


def test_a_certificate_for_another_name_is_refused(
    serve: Serve, connect: Connect, tls: ssl.SSLContext, certificate: str
) -> None:
    server = serve(polite(INTENT), tls=tls)
    ends_with(ProviderUnavailable, connect(f"https://127.0.0.1:{server.port}", ca_file=certificate))
    assert not server.requests


def slow_handshake(conversation: Conversation) -> None:
    conversation.sock.recv(4096)
    conversation.drip(b"\x16\x03\x03\x10\x00" + b"\x02" * 4096)


def no_tls(conversation: Conversation) -> None:
    conversation.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    conversation.silence()


@pytest.mark.parametrize("behave", [Conversation.silence, slow_handshake, no_tls])
def test_a_handshake_that_does_not_end_was_not_sent(
    serve: Serve, trusting: Trusting, behave: Behaviour
) -> None:
    ends_with(ProviderUnavailable, trusting(serve(behave).port))


def drips_a_body(conversation: Conversation) -> None:
    conversation.request()
    conversation.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    conversation.drip(b" " * 1000)


def hears_and_hangs_up(conversation: Conversation) -> None:
    conversation.request()


@pytest.mark.parametrize("behave", [Conversation.silence, drips_a_body, hears_and_hangs_up])
def test_silence_and_drips_inside_tls_are_unknown(
    serve: Serve, trusting: Trusting, tls: ssl.SSLContext, behave: Behaviour
) -> None:
    client = trusting(serve(behave, polite(INTENT), tls=tls).port)
    ends_with(ProviderUnknown, client)
    assert client.create_intent(1, None).id == "di_1"
