"""A bare Falcon endpoint: the most that any application under the same gunicorn could answer."""

import json

import falcon

# As long as one of our answers.
_ANSWER = json.dumps(
    {
        "paymentRequest": "lnbcrt" + "q" * 300,
        "paymentHash": "0" * 64,
        "expiresAt": "2026-11-23T12:00:00Z",
    }
)


class Bare:
    """Reads the order and answers always the same."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        req.bounded_stream.read()
        resp.status = falcon.HTTP_201
        resp.text = _ANSWER


application = falcon.App()
application.add_route("/api/lightning/create-invoice", Bare())
