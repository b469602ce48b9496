"""What a client may still do, in headers.

`RateLimit-Policy` and `RateLimit` are structured fields (RFC 9651) as in
draft-ietf-httpapi-ratelimit-headers; the `X-RateLimit-…` ones are what older clients read.
"""

from collections.abc import Iterable

from msty_invoice.domain.limit import Decision, Pair


def rate_headers(decision: Decision, pairs: Iterable[Pair]) -> dict[str, str]:
    """Headers for any answer. `pairs` are all that were asked; windows and resets in seconds."""
    tightest = decision.pair
    return {
        "RateLimit-Policy": ", ".join(_policy(pair) for pair in pairs),
        "RateLimit": f'"{tightest.policy}";r={decision.remaining};t={decision.reset_seconds}',
        "X-RateLimit-Limit": str(tightest.cap),
        "X-RateLimit-Remaining": str(decision.remaining),
        "X-RateLimit-Reset": str(decision.reset_seconds),
    }


def _policy(pair: Pair) -> str:
    # A policy's name needs no escaping: `Pair` refuses any that would.
    return f'"{pair.policy}";q={pair.cap};w={pair.window_seconds}'
