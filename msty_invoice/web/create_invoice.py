"""POST /api/lightning/create-invoice"""

import json

import falcon
from marshmallow import Schema

from msty_invoice.service.invoicing import Invoicing
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
        order = read_order(self._schema, read_json_object(req))
        invoice = self._invoicing.create(key.id, order)
        resp.status = falcon.HTTP_201
        resp.location = f"/api/lightning/invoices/{invoice.payment_hash}"
        resp.text = json.dumps(created_document(invoice))
