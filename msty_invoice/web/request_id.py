"""One id for a request, in every answer, log line and error body."""

import re
import uuid
from contextvars import ContextVar

import falcon

HEADER = "X-Request-ID"

# What Nginx or a caller may choose; anything else could be meant for a log reader's eyes.
_ACCEPTABLE = re.compile(r"[A-Za-z0-9_-]{8,64}")

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The id of the request being answered, or "" outside of one."""
    return _current.get()


class RequestId:
    """Takes the id that came with the request, or makes one, and answers with it."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        given = req.get_header(HEADER) or ""
        request_id = given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
        _current.set(request_id)
        resp.set_header(HEADER, request_id)
