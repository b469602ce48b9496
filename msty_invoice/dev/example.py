"""What to do with a running service: lines to paste."""

import shlex

from msty_invoice.dev.places import Places


def example(places: Places) -> str:
    """From no invoice to a settled one, with curl and sed."""
    env = shlex.quote(str(places.client_env))
    return f"""
A key and the addresses are in {places.client_env}. Ask for an invoice, in another terminal:

    . {env}
    invoice=$(curl -sS "$MSTY_URL/api/lightning/create-invoice" \\
        -H "Authorization: Bearer $MSTY_SECRET_KEY" \\
        -H 'Content-Type: application/json' -d '{{"amount": 2100, "memo": "coffee"}}')
    echo "$invoice"

pay it, as the payer's wallet would (the answer is the preimage, the payer's receipt):

    request=$(echo "$invoice" | sed 's/.*"paymentRequest": *"\\([^"]*\\)".*/\\1/')
    curl -sS "$MSTY_SANDBOX_URL/_sandbox/pay" -d "{{\\"payment_request\\": \\"$request\\"}}"

and read that it is settled:

    hash=$(echo "$invoice" | sed 's/.*"paymentHash": *"\\([^"]*\\)".*/\\1/')
    curl -sS "$MSTY_URL/api/lightning/invoices/$hash" -H "Authorization: Bearer $MSTY_SECRET_KEY"

Ctrl-C ends everything; logs are in {places.dev / "log"}.
"""
