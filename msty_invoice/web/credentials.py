"""Where an API key stands in a request."""

import falcon

from msty_invoice.domain.errors import Unauthorized


def api_key(req: falcon.Request) -> str:
    """The secret sent as `Authorization: Bearer …` or `X-API-Key`. Raises `Unauthorized`."""
    if secret := req.get_header("X-API-Key"):
        return secret
    scheme, _, secret = (req.get_header("Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise Unauthorized("no API key")
    return secret.strip()
