"""Calls to an HTTP service that end by a deadline, whatever the other side does.

`requests` measures each read of a socket, follows redirects, obeys proxies and
`Retry-After`, and cannot say whether a request had left. Here its session carries
an adapter with a single kept connection that does none of this.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from msty_invoice.lightning.deadline import Deadline
from msty_invoice.lightning.dialing import Dialer, tls_context
from msty_invoice.lightning.kept_connection import (
    KeptConnection,
    KeptConnectionLost,
    NotSent,
    Unanswered,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The status, the whole body (at most `MAX_BODY_BYTES`), and when the server says it is."""

    status: int
    body: bytes = field(repr=False)
    date: datetime | None = None


class HttpService:
    """One base URL, called by one thread at a time.

    Nothing is opened before the first call, so it may be made before a fork. The
    headers may hold a secret: no error and no repr shows them.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        deadline_seconds: float,
        ca_file: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = _headers(headers)
        self._seconds = deadline_seconds
        self._deadline = Deadline(clock)
        self._session = _session(self._base_url, self._deadline, ca_file)

    def call(
        self, method: str, path: str, body: bytes | None = None, *, repeatable: bool
    ) -> Answer:
        """The answer to one request, whatever its status.

        `repeatable` permits a second sending, within the same deadline, when a kept
        connection turns out to be dead. Raises `NotSent`, `Unanswered`, `Unreadable`.
        """
        request = self._prepared(method, path, body)
        adapter = self._session.get_adapter(self._base_url + "/")
        try:
            response = adapter.send(request, timeout=self._seconds)
        except KeptConnectionLost:
            if not repeatable:
                raise
            response = self._again(adapter, request)
        return Answer(response.status_code, response.content, _date(response))

    def close(self) -> None:
        """Close the kept connection. The next call opens another."""
        self._session.close()

    def _again(self, adapter: BaseAdapter, request: requests.PreparedRequest) -> requests.Response:
        try:
            return adapter.send(request, timeout=self._deadline.left())
        except (NotSent, TimeoutError) as exc:
            # The first sending may have been read all the same.
            raise Unanswered("the kept connection was lost, and no other could be made") from exc

    def _prepared(self, method: str, path: str, body: bytes | None) -> requests.PreparedRequest:
        # Session.prepare_request would look for cookies, hooks, .netrc and a merge of
        # settings there are none of: a third of what the whole call costs.
        request = requests.PreparedRequest()
        request.method = method
        request.url = self._base_url + path
        request.headers = self._headers
        request.body = body
        return request


def _date(response: requests.Response) -> datetime | None:
    """The `Date` header (RFC 9110 §6.6.1), to the second; None if there is none to read."""
    try:
        date = parsedate_to_datetime(response.headers.get("Date") or "")
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)


def _headers(extra: Mapping[str, str]) -> CaseInsensitiveDict[str]:
    # Not compressed: the size that arrives is the size there is.
    fixed = {"Accept": "application/json", "Accept-Encoding": "identity"}
    return CaseInsensitiveDict({**fixed, **extra})


def _session(base_url: str, deadline: Deadline, ca_file: str | None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()  # no other host can be reached through it
    session.mount(base_url + "/", KeptConnection(_dialer(base_url, deadline, ca_file), deadline))
    return session


def _dialer(base_url: str, deadline: Deadline, ca_file: str | None) -> Dialer:
    parts = urlsplit(base_url)
    if not parts.hostname:
        raise ValueError("the base URL names no host")
    if parts.scheme == "https":
        tls = tls_context(ca_file or DEFAULT_CA_BUNDLE_PATH)
        return Dialer(parts.hostname, parts.port or 443, deadline, tls)
    return Dialer(parts.hostname, parts.port or 80, deadline, None)
