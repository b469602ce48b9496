"""Which headers are the same key, and which orders are the same order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msty_invoice.domain.errors import InvalidInput
from msty_invoice.domain.idempotency import IdempotencyKey, fingerprint
from msty_invoice.domain.invoice import InvoiceOrder
from msty_invoice.domain.key import KeyKind

VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255)
ORDERS = st.builds(
    InvoiceOrder, st.integers(1, 10**12), st.none() | st.text(min_size=1, max_size=20)
)


def _parse(header: str, kind: KeyKind = KeyKind.SECRET) -> str:
    return IdempotencyKey.parse(header, kind).value


@given(VISIBLE)
def test_quoted_and_bare_are_the_same_key(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')

    assert _parse(f'"{escaped}"') == value
    if not value.startswith('"'):
        assert _parse(value) == value


@pytest.mark.parametrize("header", ["order-42", '"order-42"', "  order-42\t", ' "order-42" '])
def test_blanks_around_a_key_are_not_part_of_it(header: str) -> None:
    assert _parse(header) == "order-42"


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        '""',
        "order 42",
        '"order 42"',
        "order\t42",
        "order\x0042",
        "order\x7f",
        "commandé",
        "ünïcode".encode().decode("latin-1"),
        '"order-42',
        '"order"42"',
        '"order\\42"',
        '"order-42";a=1',
        '"one", "two"',
        "x" * 256,
        '"' + "x" * 256 + '"',
    ],
)
def test_anything_else_is_invalid_input_for_the_header(header: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        _parse(header)

    ((field, (sentence,)),) = raised.value.details.items()
    assert field == "Idempotency-Key"
    assert sentence.endswith(".")


def test_the_longest_key_has_255_characters_however_it_is_quoted() -> None:
    assert _parse("x" * 255) == "x" * 255
    assert _parse('"' + '\\"' * 255 + '"') == '"' * 255


def test_a_publishable_key_needs_one_that_nobody_else_could_have_chosen() -> None:
    assert _parse("x" * 22, KeyKind.PUBLISHABLE) == "x" * 22
    for header in ("x" * 21, '"' + "x" * 21 + '"'):
        with pytest.raises(InvalidInput):
            _parse(header, KeyKind.PUBLISHABLE)


@given(ORDERS, ORDERS)
def test_orders_have_one_fingerprint_if_and_only_if_they_are_equal(
    one: InvoiceOrder, other: InvoiceOrder
) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (one == other)


def test_a_fingerprint_stays_the_same_from_version_to_version() -> None:
    # A key is kept for 72 hours: another digest for the same order would refuse its retry.
    order = InvoiceOrder(2500, 'café "42" ☕')

    assert fingerprint(order).hex() == (
        "28828261b17c05943cee9fd987655f003d57cd9eda8b5d0ad5fa63989cead4dd"
    )
