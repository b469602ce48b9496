"""Who may ask, and how often: decided before anything else is done for a request."""

from collections.abc import Callable, Sequence

import falcon

from msty_invoice.domain.errors import Forbidden, RateLimited, StorageUnavailable, Unauthorized
from msty_invoice.domain.key import ApiKey
from msty_invoice.domain.limit import Bucket, Decision, address_key
from msty_invoice.domain.quota import Asked, Quotas
from msty_invoice.service.ports import Limiter
from msty_invoice.web.client_address import ClientAddress
from msty_invoice.web.credentials import Credentials
from msty_invoice.web.rate_headers import rate_headers


class Admission:
    """Each request is one decision of the limiter, and its answer says what is left.

    `on_key_budget` is told the name of a publishable key of whose minute a fifth or
    less is left: anyone can spend that, so an operator should know first.
    """

    def __init__(
        self,
        credentials: Credentials,
        limiter: Limiter,
        client_address: ClientAddress,
        quotas: Quotas,
        on_key_budget: Callable[[str], None],
    ) -> None:
        self._credentials = credentials
        self._limiter = limiter
        self._client_address = client_address
        self._quotas = quotas
        self._on_key_budget = on_key_budget

    def admit(self, req: falcon.Request, resp: falcon.Response, what: Asked) -> ApiKey:
        """The key that asks, counted once.

        Raises `Unauthorized`, `Forbidden`, `RateLimited` or `StorageUnavailable`.
        """
        address = address_key(self._client_address(req))
        key = self._identify(req, resp, what, address)
        buckets = self._quotas.of(what, address, key)
        decision = self._count(resp, buckets)
        self._watch_budget(key, buckets, decision)
        _ensure_admitted(decision)
        return key

    def admit_stray(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Count what needs no key and makes nothing. Raises `RateLimited`."""
        address = address_key(self._client_address(req))
        _ensure_admitted(self._count(resp, self._quotas.of("read", address, None)))

    def _identify(
        self, req: falcon.Request, resp: falcon.Response, what: Asked, address: str
    ) -> ApiKey:
        """The key, not counted yet. What ends here is counted here."""
        try:
            return self._credentials.check(req)
        except (Unauthorized, Forbidden):
            _ensure_admitted(self._count(resp, self._quotas.of_auth_failure(address)))
            raise
        except StorageUnavailable:
            # Nobody can be told apart now. That is what the client must hear, whatever is left.
            self._count(resp, self._quotas.of(what, address, None))
            raise

    def _count(self, resp: falcon.Response, buckets: Sequence[Bucket]) -> Decision:
        decision = self._limiter.decide(buckets)
        resp.set_headers(rate_headers(decision, [pair for b in buckets for pair in b.pairs]))
        return decision

    def _watch_budget(self, key: ApiKey, buckets: Sequence[Bucket], decision: Decision) -> None:
        pairs = [pair for bucket in buckets for pair in bucket.pairs]
        for pair, left in zip(pairs, decision.left, strict=True):
            if pair is self._quotas.key and 5 * left <= pair.cap:
                self._on_key_budget(key.name)


def _ensure_admitted(decision: Decision) -> None:
    if not decision.admitted:
        raise RateLimited(decision.wait_seconds)
