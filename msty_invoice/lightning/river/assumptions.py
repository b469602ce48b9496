"""What this code believes about River and no source states. Each belief stands here once.

`river-api` below is what is publicly known: an archived reference, and two Go clients by a
River engineer. Nobody could try these against the live service.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

# Timestamps are integers of unstated unit. One client's help says "UNIX timestamp", the other's
# fixture has 13 digits. From 2001 to 2286 seconds have ten digits and milliseconds thirteen, so
# the number itself tells which it is.
_SECONDS = range(10**9, 10**10)
_MILLISECONDS = range(10**12, 10**13)


def instant(timestamp: int) -> datetime:
    """The aware UTC instant of one of River's timestamps. Raises `ValueError`."""
    if timestamp in _MILLISECONDS:
        # The whole seconds and the rest apart: a float would round.
        seconds, rest = divmod(timestamp, 1000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
    if timestamp in _SECONDS:
        return datetime.fromtimestamp(timestamp, UTC)
    raise ValueError("a timestamp is neither seconds nor milliseconds")


# The fields of an error are documented, not whether they stand at the top or in an object of
# this name. The older API, of 2021, had an `error` there.
_WRAPPER = "error"


def error_object(body: dict[str, Any]) -> dict[str, Any]:
    """The object that holds `category` and `code`."""
    inner = body.get(_WRAPPER)
    return inner if isinstance(inner, dict) else body


# The only copy of the table of codes that could be read is cut in the middle of this name.
TRAILING_SLASH_CODE_START = "REQUEST_PATH_WITH_TRAILI"

# API_ERROR is documented as an error of River's own; with which status is not. It says nothing
# about the order, also when it comes with a 4xx.
RIVERS_OWN_FAULT = frozenset({"API_ERROR"})

# Documented as "account-level" and "missing or invalid key"; 401 is documented for the latter
# only. Neither can be about one invoice, whatever the status.
ABOUT_OUR_ACCOUNT = frozenset({"ACCOUNT_ERROR", "AUTH_ERROR"})


def next_page(next_timestamp: int | None) -> int | None:
    """Where the next page starts, None after the last: no source says how a list ends.

    The client sends `next_timestamp` only when it is not 0, so 0 and nothing are taken alike.
    """
    return next_timestamp or None


def proves(proof: str | None, payment_hash: str) -> bool:
    """Whether `proof` is the preimage of `payment_hash`.

    A deposit's `proof` is 64 hex digits in the one fixture there is, and what they are is not
    stated. SHA-256 decides, so nothing hangs on the guess.
    """
    try:
        return sha256(bytes.fromhex(proof or "")).hexdigest() == payment_hash
    except ValueError:
        return False
