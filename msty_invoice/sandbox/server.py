"""The HTTP server: takes a request to River's API or to the control surface."""

from collections.abc import Callable
from email.utils import formatdate

from aiohttp import web

from msty_invoice.sandbox import endpoints
from msty_invoice.sandbox.control import Control
from msty_invoice.sandbox.endpoints import Place, locate
from msty_invoice.sandbox.faults import Faults
from msty_invoice.sandbox.misbehaviour import Misbehaviour, as_response
from msty_invoice.sandbox.river import Credentials, River
from msty_invoice.sandbox.wire import Answer, Call, WireError

_STOP_SECONDS = 0.2  # whoever still hangs then was told to


class Server:
    """aiohttp's low-level server: its router would cost more than the work."""

    def __init__(
        self,
        credentials: Credentials,
        river: River,
        control: Control,
        faults: Faults,
        now_ms: Callable[[], int],
    ) -> None:
        self._credentials = credentials
        self._river = river
        self._control = control
        self._faults = faults
        self._now_ms = now_ms
        self._misbehaviour = Misbehaviour(faults)
        # Cancelling the handler is what ends a request that hangs when its client leaves.
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=_STOP_SECONDS)

    async def listen(self, host: str, port: int) -> int:
        """Start answering; returns the port, chosen here if `port` is 0. Raises `OSError`."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw_body = await request.read()
        place = locate(request.method, request.path)
        if request.path.startswith(endpoints.CONTROL):
            return as_response(self._control.answer(Call(place.endpoint, raw_body=raw_body)))
        self._control.requests[_counted(place)] += 1
        call = Call(place.endpoint, place.ident, request.query, raw_body)

        def work() -> Answer:
            return self._answer(request, place, call)

        if self._faults.in_force and place.endpoint in endpoints.RIVER:
            response = await self._misbehaviour.answer(request, place.endpoint, work)
            response.headers["Date"] = formatdate(self._now_ms() / 1000, usegmt=True)
            return response
        return as_response(work())

    def _answer(self, request: web.BaseRequest, place: Place, call: Call) -> Answer:
        try:
            self._credentials.check(request.headers.get("Authorization"), place.account_id)
            _refuse_trailing_slash(request.path)
        except WireError as exc:
            return exc.answer
        return self._river.answer(call)


def _refuse_trailing_slash(path: str) -> None:
    # River's page is cut after `..TRAILI`: the rest of the code is a guess.
    if path != "/" and path.endswith("/"):
        raise WireError(400, "INVALID_REQUEST_ERROR", "REQUEST_PATH_WITH_TRAILING_SLASH")


def _counted(place: Place) -> str:
    return place.endpoint if place.endpoint in endpoints.RIVER else "unknown"
