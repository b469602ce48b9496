"""Our table-driven bech32 beside BIP-173's own few lines, and its edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msty_invoice.lightning import bech32
from msty_invoice.lightning.bech32 import Bech32Error

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32M = 0x2BC830A3
PREFIXES = st.from_regex(r"[a-z0-9]{1,30}", fullmatch=True)


def remainder(values: list[int]) -> int:
    """The checksum's remainder bit by bit, as BIP-173 defines it."""
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(
            (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
        ):
            state ^= generator if top >> bit & 1 else 0
    return state


def by_the_bip(prefix: str, values: list[int], constant: int = 1) -> str:
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    checksum = remainder(expanded + values + [0] * 6) ^ constant
    symbols = values + [checksum >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(CHARSET[value] for value in symbols)


def digits(values: list[int]) -> bytes:
    return bytes(b"0123456789ABCDEFGHIJKLMNOPQRSTUV"[value] for value in values)


@given(PREFIXES, st.lists(st.integers(0, 31), max_size=400))
def test_a_string_is_written_as_the_bip_writes_it(prefix: str, values: list[int]) -> None:
    assert bech32.encode(prefix, digits(values)) == by_the_bip(prefix, values)


@given(PREFIXES, st.lists(st.integers(0, 31), max_size=400))
def test_a_string_is_read_back_in_either_case(prefix: str, values: list[int]) -> None:
    text = by_the_bip(prefix, values)
    assert bech32.decode(text) == bech32.decode(text.upper()) == (prefix, digits(values))


@given(PREFIXES, st.lists(st.integers(0, 31), max_size=400))
def test_bech32m_is_not_bech32(prefix: str, values: list[int]) -> None:
    with pytest.raises(Bech32Error, match="checksum"):
        bech32.decode(by_the_bip(prefix, values, BECH32M))


@given(st.binary(max_size=700))
def test_bytes_become_digits_and_bytes_again(data: bytes) -> None:
    assert bech32.to_bytes(bech32.from_bytes(data)) == data


@given(st.integers(min_value=0, max_value=1 << 5000))
def test_a_number_is_written_in_as_few_digits_as_possible(number: int) -> None:
    written = bech32.from_int(number)
    assert int(written, 32) == number
    assert written == b"0" or not written.startswith(b"0")


@pytest.mark.parametrize("padded", [b"00V", b"1", b"0001", b"000", b"00000000G01"])
def test_padding_that_holds_something_or_is_too_long_is_refused(padded: bytes) -> None:
    with pytest.raises(Bech32Error, match="padding"):
        bech32.to_bytes(padded)


@pytest.mark.parametrize(
    "text", ["", "1", "a1", "1qqqqqq", "abc", "a1qqqqq", "A1lqfn3a", "é1lqfn3a"]
)
def test_what_is_no_bech32_string_is_refused(text: str) -> None:
    with pytest.raises(Bech32Error):
        bech32.decode(text)


def test_the_bips_shortest_string_is_read() -> None:
    assert bech32.decode("A12UEL5L") == ("a", b"")
