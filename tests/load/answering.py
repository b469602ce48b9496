"""A small server that answers orders, always the same."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.load.bench.wrk import Order


class Answering(ThreadingHTTPServer):
    """Answers always the same, and remembers which addresses and keys it was asked with."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.addresses: Counter[str] = Counter()
        self.keys: Counter[str] = Counter()

    def handle_error(self, request: object, client_address: object) -> None:
        """At its end wrk hangs up, whatever is on its way."""


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.addresses[self.headers["X-Real-IP"]] += 1
        self.server.keys[self.headers["Idempotency-Key"]] += 1
        self.send_response(self.server.status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"sorry")

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def answering(status: int) -> Iterator[Answering]:
    with Answering(status) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def order_to(server: Answering, *, with_idempotency_key: bool = False) -> Order:
    """What wrk should send there."""
    url = f"http://127.0.0.1:{server.server_port}/orders"
    return Order(url, "X-API-Key", "sk_test", '{"amount": 1}', with_idempotency_key)
