"""GET /api/lightning/openapi.json: the contract, written from what runs.

OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1): its addresses are the application's routes, its
bodies the schemas, its errors the one table in `errors`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import falcon
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from falcon import inspect
from marshmallow import Schema

from msty_invoice import __version__
from msty_invoice.domain.errors import InvalidInput
from msty_invoice.web.admission import Admission
from msty_invoice.web.errors import BUG, Answer, answer_to
from msty_invoice.web.etag import etag_of, send_unless_known
from msty_invoice.web.operations import OPERATIONS, Operation, Outcome
from msty_invoice.web.response_headers import ALWAYS, HEADERS, RATE_HEADERS, headers_of_error
from msty_invoice.web.schemas import CreatedSchema, ErrorSchema, StatusSchema

_JSON = "application/json"
_REQUEST_ID = "aad077907c1b4f4f8c2e3c7c9c1a2b3d"
_DETAILS = {"amount": ["Say how many satoshis."]}

_WORDS = """\
Lightning invoices: ask for one, show it to the payer, read whether it was paid.

JSON in UTF-8, instants in UTC with `Z`, amounts in whole satoshis. Every error has one form;
decide by its `code`, and wait as `Retry-After` says. Ignore fields that you do not know.

A publishable key (`pk_…`) works on pages of its own origins only. That keeps other sites out;
it is no authentication, since any program can write an `Origin` header.
"""

_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer sk_…`"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


class OpenApi:
    """Anyone may read it; it is counted as a read."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._text = self._etag = ""

    def publish(self, document: Mapping[str, Any]) -> None:
        """Serve this document from now on."""
        self._text = json.dumps(document)
        self._etag = etag_of(self._text)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._admission.admit_stray(req, resp)
        resp.cache_control = ["public", "no-cache"]
        send_unless_known(req, resp, self._text, self._etag)


def describe(app: falcon.App, order_schema: Schema) -> dict[str, Any]:
    """The document of an application that has all its routes, in this deployment's bounds."""
    spec = APISpec(
        title="msty_invoice",
        version=__version__,
        openapi_version="3.1.0",
        info={"description": _WORDS},
        servers=[{"url": "/"}],
        plugins=[MarshmallowPlugin()],
    )
    _add_components(spec, order_schema)
    for route in inspect.inspect_routes(app):
        operations = {
            method.method.lower(): _operation(operation)
            for method in route.methods
            if (operation := OPERATIONS.get((method.method, route.path)))
        }
        if operations:
            spec.path(_camel_case(route.path), operations=operations)
    return spec.to_dict()


def _add_components(spec: APISpec, order_schema: Schema) -> None:
    spec.components.schema("Order", schema=order_schema)
    for name, schema in (("Invoice", CreatedSchema), ("Status", StatusSchema)):
        spec.components.schema(name, schema=schema)
    spec.components.schema("Error", schema=ErrorSchema)
    for name, header in HEADERS.items():
        spec.components.header(name, header)
    for name, scheme in _SECURITY_SCHEMES.items():
        spec.components.security_scheme(name, scheme)


def _operation(operation: Operation) -> dict[str, Any]:
    document: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.words or operation.summary,
        "security": [{name: []} for name in _SECURITY_SCHEMES] if operation.needs_key else [],
        "parameters": list(operation.parameters),
        "responses": _responses(operation),
    }
    if operation.order:
        content = {_JSON: {"schema": "Order", "example": operation.order}}
        document["requestBody"] = {"required": True, "content": content}
    return document


def _responses(operation: Operation) -> dict[str, Any]:
    every = ALWAYS + (RATE_HEADERS if operation.counted else ())
    responses = {
        str(status): _outcome(outcome, (*every, *outcome.headers))
        for status, outcome in operation.outcomes.items()
    }
    answers = defaultdict(list)
    for answer in {answer_to(kind) for kind in operation.refusals}:
        answers[answer.status].append(answer)
    for status, alike in answers.items():
        responses[str(status)] = _error(alike, every)
    # A bug may break off before anything was counted.
    responses[str(BUG.status)] = _error([BUG], ALWAYS)
    return dict(sorted(responses.items()))


def _outcome(outcome: Outcome, headers: Iterable[str]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "description": outcome.words,
        "headers": {name: name for name in headers},
    }
    if outcome.schema:
        content: dict[str, Any] = {"schema": outcome.schema}
        if outcome.examples:
            content["examples"] = {name: {"value": it} for name, it in outcome.examples.items()}
        document["content"] = {_JSON: content}
    if outcome.links:
        document["links"] = dict(outcome.links)
    return document


def _error(answers: list[Answer], headers: Iterable[str]) -> dict[str, Any]:
    """The answers with one status, told apart by their codes."""
    by_code = {answer.code: answer for answer in sorted(answers, key=lambda it: it.code)}
    narrowed = {"properties": {"code": {"enum": list(by_code)}}}
    return {
        "description": " ".join(f"`{code}`: {it.sentence}" for code, it in by_code.items()),
        "headers": {name: name for name in (*headers, *headers_of_error(answers[0]))},
        "content": {
            _JSON: {
                "schema": {"allOf": ["Error", narrowed]},
                "examples": {code: {"value": _example(it)} for code, it in by_code.items()},
            }
        },
    }


def _example(answer: Answer) -> dict[str, Any]:
    details = {"details": _DETAILS} if answer is answer_to(InvalidInput) else {}
    named = {"error": answer.sentence, "code": answer.code}
    return named | details | {"requestId": _REQUEST_ID}


def _camel_case(path: str) -> str:
    """As names are on the wire: `{payment_hash}` is `{paymentHash}` there."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), path)
