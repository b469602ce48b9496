"""A service that answers as a test says: what the real one does only when it is in trouble."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Thread
from typing import Any


class Moody:
    """Answers with the statuses in `answers` in turn; 0 breaks the connection."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.idempotency_keys: list[str] = []
        self._asked_at: list[float] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def waited_seconds(self) -> list[float]:
        """Between one request and the next."""
        return [later - earlier for earlier, later in pairwise(self._asked_at)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: Any) -> None:
        request.rfile.read(int(request.headers["Content-Length"]))
        self._asked_at.append(time.monotonic())
        self.idempotency_keys.append(request.headers["Idempotency-Key"])
        status = self.answers.pop(0)
        if not status:
            return
        body = json.dumps({"error": "Wait.", "code": "TEST", "requestId": "test-id"}).encode()
        request.send_response(status)
        request.send_header("Retry-After", "1")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        moody = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                moody._answer(self)

            def log_message(self, *_: Any) -> None:
                """Nothing: the test says what matters."""

        return Handler
