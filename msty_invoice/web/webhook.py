"""POST /api/lightning/webhooks/{provider}, and below it …/{token} where none signs"""

from collections.abc import Mapping

import falcon

from msty_invoice.service.unsigned_webhooks import UnsignedWebhooks
from msty_invoice.service.webhooks import Webhooks
from msty_invoice.web.body import read_bytes

_MAX_BYTES = 64 * 1024


class Webhook:
    """200 once the event is stored and committed; nothing else happens before the answer."""

    def __init__(
        self, webhooks: Mapping[str, Webhooks], unsigned: Mapping[str, UnsignedWebhooks]
    ) -> None:
        self._webhooks = webhooks
        self._unsigned = unsigned

    def on_post(
        self, req: falcon.Request, resp: falcon.Response, provider: str, token: str = ""
    ) -> None:
        # The bytes as they came: a signature is over these, not over what they mean.
        headers = {name.lower(): value for name, value in req.headers.items()}
        if unsigned := self._unsigned.get(provider):
            unsigned.take(token, headers, read_bytes(req, _MAX_BYTES))
        elif (webhooks := self._webhooks.get(provider)) and not token:
            webhooks.take(headers, read_bytes(req, _MAX_BYTES))
        else:
            raise falcon.HTTPNotFound
        resp.text = "{}"
