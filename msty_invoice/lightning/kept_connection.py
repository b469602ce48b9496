"""A transport for `requests`: one connection to one host, and a deadline for the whole call."""

import http.client
import select
from typing import Any

import requests
from requests.adapters import BaseAdapter

from msty_invoice.lightning.deadline import Deadline, DeadlineSocket, TooMuchReceived
from msty_invoice.lightning.dialing import Dialer

MAX_BODY_BYTES = 64 * 1024

# Longer idle, a firewall on the way may have forgotten the connection without telling
# us, and the next call would wait out its whole deadline for nothing.
MAX_IDLE_SECONDS = 30.0


class CallFailed(Exception):
    """No answer to a call. Never raised directly; the text names no secret."""


class NotSent(CallFailed):
    """No connection, or no time left before the first byte was written."""


class Unanswered(CallFailed):
    """Sent, and no complete answer came: the other side may have acted on it."""


class KeptConnectionLost(Unanswered):
    """A connection kept from an earlier call ended before any byte of this answer."""


class Unreadable(CallFailed):
    """An answer came that is not HTTP, or is larger than any answer should be."""


class TooLarge(Unreadable):
    """The body is larger than `MAX_BODY_BYTES`."""


class KeptConnection(BaseAdapter):
    """Sends each request over the same connection while that lives.

    `timeout` is for all of it: name, connect, TLS, request, head and body. Redirects
    are answers like any other, nothing is ever sent twice, and no proxy is used.
    """

    def __init__(self, dialer: Dialer, deadline: Deadline) -> None:
        super().__init__()
        self._dialer = dialer
        self._deadline = deadline
        self._kept: _Line | None = None
        self._kept_since = 0.0

    def send(
        self, request: requests.PreparedRequest, *args: Any, timeout: Any = None, **kwargs: Any
    ) -> requests.Response:
        """Raises one of the `CallFailed`s."""
        self._deadline.start(timeout)
        kept = self._take_kept()
        line = kept or self._fresh()
        try:
            response = _exchange(line, request, was_kept=kept is not None)
            self._keep(line)
        finally:
            if self._kept is not line:
                line.close()
        return response

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _take_kept(self) -> "_Line | None":
        line, self._kept = self._kept, None
        if line is None:
            return None
        idle = self._deadline.clock() - self._kept_since
        if idle > MAX_IDLE_SECONDS or line.has_spoken():
            line.close()
            return None
        return line

    def _keep(self, line: "_Line") -> None:
        if line.sock is not None:  # http.client lets go of it when the server wants to close
            self._kept = line
            self._kept_since = self._deadline.clock()

    def _fresh(self) -> "_Line":
        try:
            line = _Line(self._dialer, self._dialer.dial())
            self._deadline.left()
        except OSError as exc:
            raise NotSent(f"no connection: {type(exc).__name__}") from exc
        return line


class _Line(http.client.HTTPConnection):
    """An open connection, which `http.client` neither opens nor opens again."""

    auto_open = 0

    def __init__(self, dialer: Dialer, sock: DeadlineSocket) -> None:
        super().__init__(dialer.host, dialer.port)
        if dialer.tls is not None:
            self.default_port = 443  # leaves it out of the Host header
        self.sock = self.wire = sock
        self._unsent: list[bytes] = []

    def has_spoken(self) -> bool:
        """Something came though nothing was asked: the end, or bytes that answer nothing."""
        poll = select.poll()
        poll.register(self.wire, select.POLLIN)
        return bool(poll.poll(0))

    def send(self, data: Any) -> None:
        # Head and body leave together, in one packet instead of two.
        self._unsent.append(data)

    def flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        self.wire.received = 0
        self.wire.sendall(b"".join(unsent))


def _exchange(
    line: _Line, request: requests.PreparedRequest, *, was_kept: bool
) -> requests.Response:
    try:
        return _answer(line, request)
    except TimeoutError as exc:
        raise Unanswered("no answer by the deadline") from exc
    except OSError as exc:
        if was_kept and not line.wire.received:
            raise KeptConnectionLost("the kept connection was closed") from exc
        raise Unanswered(f"the connection was lost: {type(exc).__name__}") from exc
    except (http.client.HTTPException, TooMuchReceived, ValueError) as exc:
        failure = _misread(line, exc)
    # Not chained: those carry what the server wrote, which may repeat what we sent it.
    raise failure


def _misread(line: _Line, exc: Exception) -> CallFailed:
    if line.wire.ended:
        return Unanswered("the answer was cut short")
    return Unreadable(f"not an answer in HTTP: {type(exc).__name__}")


def _answer(line: _Line, request: requests.PreparedRequest) -> requests.Response:
    line.request(request.method or "", request.path_url, request.body, request.headers)
    line.flush()
    with line.getresponse() as answer:
        body = _body(answer)
    response = requests.Response()
    response.status_code = answer.status
    # Only what is asked for: to copy all headers is a seventh of what the call costs.
    response.headers["Date"] = answer.headers.get("Date", "")
    response._content = body  # noqa: SLF001 - as `requests` keeps a body it has read
    response.request = request
    return response


def _body(answer: http.client.HTTPResponse) -> bytes:
    body = answer.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"the body is larger than {MAX_BODY_BYTES} bytes")
    # Where the end of the connection is the end of the body, nobody can tell a whole
    # answer from one cut short: a success must say how long it is.
    unmarked = answer.length is None and not answer.chunked
    if answer.length or (unmarked and 200 <= answer.status < 300):
        raise Unanswered("the answer was cut short")
    return body
