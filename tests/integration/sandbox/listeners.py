"""A real socket that webhooks are sent to."""

import queue
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

_DEADLINE_SECONDS = 10


@dataclass(frozen=True)
class Received:
    """A webhook as it came: the River-Signature header, and the raw body."""

    signature: str
    raw_body: bytes


class Listener:
    """Keeps what it is sent. Answers with `answers` in turn, then 200 for ever."""

    def __init__(self, port: int = 0) -> None:
        self.answers: list[int] = []
        self._received: queue.Queue[Received] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = False
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/webhooks/river"

    def take(self) -> Received:
        """The next webhook, in order of arrival."""
        return self._received.get(timeout=_DEADLINE_SECONDS)

    def is_empty(self) -> bool:
        return self._received.empty()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw_body = self.rfile.read(int(self.headers["Content-Length"]))
                listener._received.put(Received(self.headers["River-Signature"], raw_body))
                self._answer(listener.answers.pop(0) if listener.answers else 200)

            def do_GET(self) -> None:
                """What following a redirect would come to."""
                listener._received.put(Received("", b""))
                self._answer(200)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", listener.url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing: the test says what matters."""

        return Handler
