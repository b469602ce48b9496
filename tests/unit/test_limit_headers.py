"""The rate limit headers to the letter: RFC 9651 and the ratelimit-headers draft."""

import re

from hypothesis import given
from hypothesis import strategies as st

from msty_invoice.domain.limit import Decision, Pair
from msty_invoice.web.rate_headers import rate_headers

CREATE = Pair("create", 50, 60)
HOURLY = Pair("create-hourly", 200, 3600)

# RFC 9651 section 3.3.1 and 3.3.3: at most 15 digits, no leading zeros when serialised
# (section 4.1.4); a string is printable ASCII in double quotes.
_INTEGER = "(?:0|[1-9][0-9]{0,14})"
_STRING = r'"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"'


def test_one_pair_is_described_as_designed() -> None:
    headers = rate_headers(Decision(True, CREATE, 49, 12), [CREATE])
    assert headers == {
        "RateLimit-Policy": '"create";q=50;w=60',
        "RateLimit": '"create";r=49;t=12',
        "X-RateLimit-Limit": "50",
        "X-RateLimit-Remaining": "49",
        "X-RateLimit-Reset": "12",
    }


def test_every_pair_is_listed_and_the_tightest_described() -> None:
    headers = rate_headers(Decision(False, HOURLY, 0, 1800), [CREATE, HOURLY])
    assert headers["RateLimit-Policy"] == '"create";q=50;w=60, "create-hourly";q=200;w=3600'
    assert headers["RateLimit"] == '"create-hourly";r=0;t=1800'
    assert headers["X-RateLimit-Limit"] == "200"
    assert headers["X-RateLimit-Reset"] == "1800"


_names = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
_pairs = st.builds(Pair, _names, st.integers(1, 10**6), st.integers(1, 86_400))


@given(st.lists(_pairs, min_size=1, max_size=5), st.integers(0, 10**6), st.integers(1, 86_400))
def test_each_field_is_a_list_of_strings_with_integer_parameters(
    pairs: list[Pair], remaining: int, reset_seconds: int
) -> None:
    headers = rate_headers(Decision(True, pairs[0], remaining, reset_seconds), pairs)
    item = f"{_STRING};q={_INTEGER};w={_INTEGER}"
    assert re.fullmatch(f"{item}(?:, {item})*", headers["RateLimit-Policy"])
    assert len(headers["RateLimit-Policy"].split(", ")) == len(pairs)
    assert re.fullmatch(f"{_STRING};r={_INTEGER};t={_INTEGER}", headers["RateLimit"])
