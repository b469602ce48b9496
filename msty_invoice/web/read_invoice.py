"""GET /api/lightning/invoices/{payment_hash}"""

import json
import re
from hashlib import sha256

import falcon

from msty_invoice.domain.errors import InvoiceNotFound
from msty_invoice.service.invoicing import Invoicing
from msty_invoice.web.admission import Admission
from msty_invoice.web.schemas import status_document

_PAYMENT_HASH = re.compile(r"[0-9a-f]{64}")


class ReadInvoice:
    """The recorded status, for the key family that made the invoice."""

    def __init__(self, invoicing: Invoicing, admission: Admission) -> None:
        self._invoicing = invoicing
        self._admission = admission

    def on_get(self, req: falcon.Request, resp: falcon.Response, payment_hash: str) -> None:
        key = self._admission.admit(req, resp, "read")
        if not _PAYMENT_HASH.fullmatch(payment_hash):
            raise InvoiceNotFound("not the form of a payment hash")
        invoice = self._invoicing.get(key.id, payment_hash)
        resp.text = json.dumps(status_document(invoice))
        # Pages poll this: an unchanged status costs a 304 without a body.
        etag = sha256(resp.text.encode()).hexdigest()[:32]
        resp.etag = etag
        resp.cache_control = ["private", "no-cache"]
        if req.if_none_match and any(tag in ("*", etag) for tag in req.if_none_match):
            resp.status = falcon.HTTP_304
            resp.text = None
