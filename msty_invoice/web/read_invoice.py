"""GET /api/lightning/invoices/{payment_hash}"""

import json
import re

import falcon

from msty_invoice.domain.errors import InvoiceNotFound
from msty_invoice.service.invoicing import Invoicing
from msty_invoice.web.admission import Admission
from msty_invoice.web.etag import etag_of, send_unless_known
from msty_invoice.web.schemas import PAYMENT_HASH, status_document

_PAYMENT_HASH = re.compile(PAYMENT_HASH)


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
        text = json.dumps(status_document(invoice))
        # Pages poll this: an unchanged status costs a 304 without a body.
        send_unless_known(req, resp, text, etag_of(text))
        resp.cache_control = ["private", "no-cache"]
