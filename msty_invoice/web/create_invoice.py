"""POST /api/lightning/create-invoice"""

import json

import falcon
from marshmallow import Schema

from msty_invoice.domain.idempotency import HEADER, IdempotencyKey
from msty_invoice.domain.invoice import InvoiceOrder
from msty_invoice.domain.key import ApiKey
from msty_invoice.service.invoicing import Fulfilled, Invoicing
from msty_invoice.web.admission import Admission
from msty_invoice.web.body import read_json_object
from msty_invoice.web.schemas import created_document, read_order


class CreateInvoice:
    """An order in, an invoice to pay out."""

    def __init__(self, invoicing: Invoicing, admission: Admission, schema: Schema) -> None:
        self._invoicing = invoicing
        self._admission = admission
        self._schema = schema

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        key = self._admission.admit(req, resp, "create")
        once = _idempotency_key(req, key)
        order = read_order(self._schema, read_json_object(req))
        fulfilled = self._fulfil(key, order, once)
        resp.status = falcon.HTTP_201
        resp.location = f"/api/lightning/invoices/{fulfilled.invoice.payment_hash}"
        resp.text = json.dumps(created_document(fulfilled.invoice))
        if fulfilled.replayed:
            resp.set_header("Idempotency-Replayed", "true")

    def _fulfil(self, key: ApiKey, order: InvoiceOrder, once: IdempotencyKey | None) -> Fulfilled:
        if once is None:
            return Fulfilled(self._invoicing.create(key.id, order), replayed=False)
        return self._invoicing.create_once(key.id, order, once)


def _idempotency_key(req: falcon.Request, key: ApiKey) -> IdempotencyKey | None:
    header = req.get_header(HEADER)
    return None if header is None else IdempotencyKey.parse(header, key.kind)
