"""Servers on real sockets that behave as badly as they are told, one connection at a time."""

import json
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

INTENT = {"id": "di_1", "destination": "lnbcrt1", "network": "LN", "timestamp": 1700000000000}
CERTIFICATE = "localhost.pem"  # for the name localhost, its own authority, with its key


@dataclass
class Request:
    """What a client sent."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Conversation:
    """The server's end of one connection."""

    def __init__(self, server: "SocketServer", sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.file = sock.makefile("rb")

    def request(self) -> Request:
        """Read one request. Raises `EOFError` when the client has gone."""
        first = self.file.readline()
        if not first:
            raise EOFError
        method, target, _ = first.decode().split(" ")
        headers = {}
        while line := self.file.readline().rstrip(b"\r\n"):
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        body = self.file.read(int(headers.get("content-length", 0)))
        request = Request(method, target, headers, body)
        self.server.requests.append(request)
        return request

    def write(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self, body: Any = None, status: int = 200, headers: str = "") -> None:
        """A complete answer: JSON, bytes as they are, or nothing."""
        if body is None:
            content = b""
        else:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"HTTP/1.1 {status} Status\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
        self.write(head.encode() + content)

    def drip(self, data: bytes) -> None:
        """Send a byte now and then, for ever if there is nothing to end it."""
        for byte in data:
            self.write(bytes([byte]))
            if self.server.closing.wait(0.05):
                return

    def silence(self) -> None:
        """Say nothing until the client or the test has had enough."""
        while self.file.read(1):
            pass


Behaviour = Callable[[Conversation], None]


class SocketServer:
    """Gives each connection the next behaviour, and the last one to all that follow."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._behaviours = list(behaviours)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[Thread] = []
        self.closing = Event()
        self.requests: list[Request] = []
        self.connections = 0
        self._start(self._accept)

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop_listening(self) -> None:
        """Refuse every further connection."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self) -> None:
        self.closing.set()
        for sock in [self._listener, *self._sockets]:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it
            sock.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive(), "a server thread is left behind"

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        thread = Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(sock)
            behave = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
            self.connections += 1
            self._start(self._serve, behave, sock)

    def _serve(self, behave: Behaviour, sock: socket.socket) -> None:
        # The client has gone, or refused our certificate.
        with suppress(OSError, EOFError, ValueError), sock, self._wrapped(sock) as talking:
            self._sockets.append(talking)
            conversation = Conversation(self, talking)
            with conversation.file:
                behave(conversation)

    def _wrapped(self, sock: socket.socket) -> socket.socket:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock if self._tls is None else self._tls.wrap_socket(sock, server_side=True)


def polite(answer: Any) -> Behaviour:
    """Answers 200 to every request until the client hangs up."""

    def behave(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.answer(answer)

    return behave


def one_answer_then(ending: Behaviour) -> Behaviour:
    """Answers 200 once, which makes the connection a kept one, and then misbehaves."""

    def behave(conversation: Conversation) -> None:
        conversation.request()
        conversation.answer(INTENT)
        ending(conversation)

    return behave
