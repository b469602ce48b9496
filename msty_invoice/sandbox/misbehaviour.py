"""What the faults of one request do to its answer."""

import asyncio
import secrets
from collections.abc import Callable

from aiohttp import web

from msty_invoice.sandbox import endpoints
from msty_invoice.sandbox.faults import Faults
from msty_invoice.sandbox.wire import Answer, WireError, invalid

_DRIP_SECONDS = 0.05
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_DRIPS = {
    "header": _HEAD + b"X-Drip: ",
    "body": _HEAD + b"Content-Length: 1000000\r\n\r\n" + b"{",
}
_chance = secrets.SystemRandom().random


class Misbehaviour:
    """Stands between a request and its answer while any fault is in force."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def answer(
        self, request: web.BaseRequest, endpoint: str, work: Callable[[], Answer]
    ) -> web.Response:
        """Do `work` unless a fault replaces its answer. May never return."""
        if self._faults.value("hang", endpoint):
            await asyncio.Event().wait()
        if drip := self._faults.value("drip", endpoint):
            await _drip(request, _DRIPS[drip])
        response = self._instead(endpoint) or as_response(work())
        await asyncio.sleep((self._faults.value("latency_ms", endpoint) or 0) / 1000)
        if self._faults.value("close_after_commit", endpoint) and request.transport:
            request.transport.close()
        return response

    def _instead(self, endpoint: str) -> web.Response | None:
        """The answer that stands for work not done, if a fault wants one."""
        value = self._faults.value
        location = value("redirect", endpoint)
        if location is not None:
            return web.Response(status=302, headers={"Location": location} if location else {})
        if value("rubbish", endpoint):
            return web.Response(body=b"<html>rubbish", content_type="application/json")
        if value("refuse", endpoint):
            return as_response(invalid("amount").answer)
        if status := value("status", endpoint):
            return as_response(_failed(status))
        if self._unlucky(endpoint):
            return as_response(_failed(500))
        return None

    def _unlucky(self, endpoint: str) -> bool:
        rate = self._faults.value("error_rate", endpoint) or 0
        if endpoint in endpoints.LISTS:
            rate = max(rate, self._faults.value("list_error_rate", endpoint) or 0)
        return _chance() < rate


def as_response(answer: Answer) -> web.Response:
    return web.Response(
        status=answer.status,
        body=answer.raw_body(),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )


async def _drip(request: web.BaseRequest, start: bytes) -> None:
    """Until the client gives up. Written past aiohttp, which would not send half a header."""
    transport = request.transport
    piece = start
    while transport and not transport.is_closing():
        transport.write(piece)
        piece = b" "
        await asyncio.sleep(_DRIP_SECONDS)


def _failed(status: int) -> Answer:
    """River's error object for a status it gave no better reason for. The code is ours."""
    known = {401: ("AUTH_ERROR", "INVALID_API_KEY"), 404: ("INVALID_REQUEST_ERROR", "NOT_FOUND")}
    otherwise = ("API_ERROR" if status >= 500 else "INVALID_REQUEST_ERROR", "SANDBOX_FAULT")
    return WireError(status, *known.get(status, otherwise)).answer
