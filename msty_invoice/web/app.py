"""The HTTP application, put together from its parts."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import falcon
from marshmallow import Schema

from msty_invoice.service.invoicing import Invoicing
from msty_invoice.service.unsigned_webhooks import UnsignedWebhooks
from msty_invoice.service.webhooks import Webhooks
from msty_invoice.web import errors
from msty_invoice.web.admission import Admission
from msty_invoice.web.body import Drain
from msty_invoice.web.create_invoice import CreateInvoice
from msty_invoice.web.health import Livez, Readyz
from msty_invoice.web.openapi import OpenApi, describe
from msty_invoice.web.read_invoice import ReadInvoice
from msty_invoice.web.request_id import RequestId
from msty_invoice.web.strays import Strays
from msty_invoice.web.webhook import Webhook

_NONE: Mapping[str, UnsignedWebhooks] = MappingProxyType({})


def create_app(
    *,
    invoicing: Invoicing,
    admission: Admission,
    order_schema: Schema,
    webhooks: Mapping[str, Webhooks],
    unsigned_webhooks: Mapping[str, UnsignedWebhooks] = _NONE,
    required: Mapping[str, Callable[[], bool | None]],
    reported: Mapping[str, Callable[[], bool | None]],
) -> falcon.App:
    """Both kinds of webhooks are by provider; `required` and `reported` are checks of /readyz."""
    strays = Strays(admission)
    middleware: list[Any] = [RequestId(), Drain(), strays]
    app = falcon.App(middleware=middleware)
    errors.register(app)
    strays.register(app)
    app.add_route(
        "/api/lightning/create-invoice", CreateInvoice(invoicing, admission, order_schema)
    )
    app.add_route("/api/lightning/invoices/{payment_hash}", ReadInvoice(invoicing, admission))
    webhook = Webhook(webhooks, unsigned_webhooks)
    app.add_route("/api/lightning/webhooks/{provider}", webhook)
    app.add_route("/api/lightning/webhooks/{provider}/{token}", webhook)
    contract = OpenApi(admission)
    app.add_route("/api/lightning/openapi.json", contract)
    app.add_route("/livez", Livez())
    app.add_route("/readyz", Readyz(required, reported))
    contract.publish(describe(app, order_schema))  # last: it tells of every route above
    return app
