"""POST /api/lightning/webhooks/{provider}"""

from collections.abc import Mapping

import falcon

from msty_invoice.service.webhooks import Webhooks
from msty_invoice.web.body import read_bytes

_MAX_BYTES = 64 * 1024


class Webhook:
    """200 once the event is stored and committed; nothing else happens before the answer."""

    def __init__(self, webhooks: Mapping[str, Webhooks]) -> None:
        self._webhooks = webhooks

    def on_post(self, req: falcon.Request, resp: falcon.Response, provider: str) -> None:
        webhooks = self._webhooks.get(provider)
        if webhooks is None:
            raise falcon.HTTPNotFound
        # The bytes as they came: the signature is over these, not over what they mean.
        headers = {name.lower(): value for name, value in req.headers.items()}
        webhooks.take(headers, read_bytes(req, _MAX_BYTES))
        resp.text = "{}"
