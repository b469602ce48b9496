"""A client that chooses its address, of which loopback has sixteen million."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from urllib.parse import urlsplit

from requests.structures import CaseInsensitiveDict

from tests.integration.running import ORDER, Service

CREATE = "/api/lightning/create-invoice"
_DEADLINE_SECONDS = 25
_ATTEMPTS = 4
_hosts = count(2)


@dataclass(frozen=True)
class Answer:
    """What came back, when by `time.monotonic`, and after how many seconds."""

    status: int
    headers: Mapping[str, str]
    document: Mapping[str, object]
    at: float
    seconds: float

    @property
    def left(self) -> int:
        return int(self.headers["X-RateLimit-Remaining"])


def new_address() -> str:
    """An address that nobody has asked from."""
    number = next(_hosts)
    return f"127.0.{number >> 8}.{number & 255}"


def ask(
    service: Service,
    address: str,
    key: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    read: str | None = None,
) -> Answer:
    """POST an order from `address`, or GET the status of the hash `read`."""
    url = urlsplit(service.url)
    assert url.hostname
    connection = http.client.HTTPConnection(
        url.hostname, url.port, timeout=_DEADLINE_SECONDS, source_address=(address, 0)
    )
    sent = {"Authorization": f"Bearer {key or service.secret_key}"} | dict(headers or {})
    began = time.monotonic()
    try:
        if read:
            connection.request("GET", f"/api/lightning/invoices/{read}", headers=sent)
        else:
            sent["Content-Type"] = "application/json"
            connection.request("POST", CREATE, json.dumps(ORDER), sent)
        response = connection.getresponse()
        document = json.loads(response.read())
        at = time.monotonic()
        answered = CaseInsensitiveDict(response.headers.items())
        return Answer(response.status, answered, document, at, at - began)
    finally:
        connection.close()


def strictly(attempt: Callable[[str], list[Answer]]) -> list[Answer]:
    """What `attempt` was answered from a new address, with every decision taken by Redis.

    On a machine so busy that Redis took more than 50 ms, a worker decides alone, as it
    should. Two creates with the same number left betray that, and the attempt is made again.
    """
    for _ in range(_ATTEMPTS):
        answers = attempt(new_address())
        lefts = [answer.left for answer in answers if answer.status == HTTPStatus.CREATED]
        if len(lefts) == len(set(lefts)):
            break
    return answers
