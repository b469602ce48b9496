"""What no route answers: counted as a read, so that looking around is limited too.

/livez and /readyz are not counted: whoever watches the service must always learn its state.
"""

from typing import Any

import falcon

from msty_invoice.domain.errors import RateLimited
from msty_invoice.web import errors
from msty_invoice.web.admission import Admission


class Strays:
    """Middleware for OPTIONS, which Falcon answers by itself, and a handler for 404 and 405."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def register(self, app: falcon.App) -> None:
        """Count unknown addresses and methods before they are answered as any error is."""
        for kind in (falcon.HTTPRouteNotFound, falcon.HTTPMethodNotAllowed):
            app.add_error_handler(kind, self._on_stray)

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, resource: object, params: Any
    ) -> None:
        if req.method == "OPTIONS":
            self._admission.admit_stray(req, resp)

    def _on_stray(
        self, req: falcon.Request, resp: falcon.Response, ex: falcon.HTTPError, params: Any
    ) -> None:
        try:
            self._admission.admit_stray(req, resp)
        except RateLimited as exc:
            errors.answer_invoicing_error(req, resp, exc, params)
        else:
            errors.answer_http_error(req, resp, ex, params)
