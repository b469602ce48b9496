"""Who may ask, and how often: decided before anything else is done for a request."""

from collections.abc import Mapping

import falcon

from msty_invoice.domain.errors import RateLimited, Unauthorized
from msty_invoice.domain.key import ApiKey
from msty_invoice.domain.limit import Bucket, Pair, address_key
from msty_invoice.service.keys import Keyring
from msty_invoice.service.ports import Limiter
from msty_invoice.web.client_address import ClientAddress
from msty_invoice.web.credentials import api_key
from msty_invoice.web.rate_headers import rate_headers

# Strangers have a bucket of their own, so that guessing keys costs a client nothing
# of what its own key may do, and gets nowhere.
AUTH_FAILURES = "auth-failures"


class Admission:
    """`limits` maps what is asked (`create`, `read`, `auth-failures`) to its pair."""

    def __init__(
        self,
        keyring: Keyring,
        limiter: Limiter,
        client_address: ClientAddress,
        limits: Mapping[str, Pair],
    ) -> None:
        self._keyring = keyring
        self._limiter = limiter
        self._client_address = client_address
        self._limits = limits

    def admit(self, req: falcon.Request, resp: falcon.Response, what: str) -> ApiKey:
        """The key that asks, counted once. Raises `Unauthorized` or `RateLimited`."""
        try:
            key = self._keyring.recognise(api_key(req))
        except Unauthorized:
            self._count(req, resp, AUTH_FAILURES)
            raise
        self._count(req, resp, what)
        return key

    def _count(self, req: falcon.Request, resp: falcon.Response, what: str) -> None:
        pair = self._limits[what]
        bucket = Bucket(f"{what}:{address_key(self._client_address(req))}", (pair,))
        decision = self._limiter.decide([bucket])
        resp.set_headers(rate_headers(decision, [pair]))
        if not decision.admitted:
            raise RateLimited(decision.wait_seconds)
