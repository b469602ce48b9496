"""Entity tags: what a client has already need not be sent again (RFC 9110, section 13.1.2)."""

from hashlib import sha256

import falcon


def etag_of(text: str) -> str:
    """A tag that changes with the text."""
    return sha256(text.encode()).hexdigest()[:32]


def send_unless_known(req: falcon.Request, resp: falcon.Response, text: str, etag: str) -> None:
    """Answer with `text`, or with 304 and no body if If-None-Match names its tag."""
    resp.etag = etag
    if req.if_none_match and any(tag in ("*", etag) for tag in req.if_none_match):
        resp.status = falcon.HTTP_304
    else:
        resp.text = text
