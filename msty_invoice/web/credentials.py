"""What a request brings to be let in: an API key, and the page it comes from."""

import falcon

from msty_invoice.domain.errors import Forbidden, Unauthorized
from msty_invoice.domain.key import ApiKey
from msty_invoice.service.keys import Keyring


class Credentials:
    """`public_origin` is where our own pages are, as a browser writes it."""

    def __init__(self, keyring: Keyring, public_origin: str) -> None:
        self._keyring = keyring
        self._public_origin = public_origin

    def check(self, req: falcon.Request) -> ApiKey:
        """The key that asks. Raises `Unauthorized`, or `Forbidden` for a page not its own."""
        key = self._keyring.recognise(_api_key(req))
        if not key.serves(self._origin(req)):
            raise Forbidden(f"key {key.name}: not asked from one of its origins")
        return key

    def _origin(self, req: falcon.Request) -> str | None:
        """The page's origin. A browser leaves it out of a GET to the page's own
        (Fetch, "append a request Origin header"), and then says same-origin."""
        origin = req.get_header("Origin")
        if origin is None and req.get_header("Sec-Fetch-Site") == "same-origin":
            return self._public_origin
        return origin


def _api_key(req: falcon.Request) -> str:
    """The secret sent as `Authorization: Bearer …` or `X-API-Key`. Raises `Unauthorized`."""
    if secret := req.get_header("X-API-Key"):
        return secret
    scheme, _, secret = (req.get_header("Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise Unauthorized("no API key")
    return secret.strip()
