"""BOLT #11's tagged fields, where its examples do not show the rule."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from msty_invoice.lightning import bech32
from msty_invoice.lightning.bolt11 import decode, field
from tests.unit.bolt11_coffee import COFFEE, HASH, KEY_DIGITS, D, P, S, of_only, refuse, with_more


@pytest.mark.parametrize("letter", list("psdxcm9"))
def test_a_field_that_belongs_there_once_is_refused_twice(letter: str) -> None:
    twice = field(letter, HASH if letter in "ps" else b"00")
    refuse(with_more(twice, twice), "more than one")


def test_a_second_payment_hash_is_refused_wherever_it_stands() -> None:
    other = field("p", bech32.from_bytes(b"\x02" * 32))
    refuse(with_more(other), "more than one payment_hash")
    refuse(of_only(other, P, S, D), "more than one payment_hash")


def test_two_payees_are_refused() -> None:
    refuse(with_more(field("n", KEY_DIGITS), field("n", KEY_DIGITS)), "more than one payee")


def test_an_invoice_lacks_nothing_it_must_have() -> None:
    assert decode(of_only(P, S, D)).description == "tea"
    refuse(of_only(S, D), "no payment_hash")
    refuse(of_only(P, D), "no payment_secret")
    refuse(of_only(P, S), "exactly one of description")
    refuse(of_only(), "no payment_hash")


def test_a_description_and_its_hash_exclude_each_other() -> None:
    assert decode(of_only(P, S, field("h", HASH))).description_hash == "00" * 32
    refuse(of_only(P, S, D, field("h", HASH)), "exactly one of description")


@pytest.mark.parametrize("letter", list("pshn"))
@pytest.mark.parametrize("off_by", [-1, 1, -52])
def test_a_fixed_field_of_another_length_is_refused(letter: str, off_by: int) -> None:
    right = 53 if letter == "n" else 52
    fields = {"p": P, "s": S, "d": D, letter: field(letter, b"0" * (right + off_by))}
    if letter == "h":
        del fields["d"]
    refuse(of_only(*fields.values()), f"digits instead of {right}")


@pytest.mark.parametrize(
    ("letter", "digits"),
    [
        ("p", HASH[:-1] + b"1"),
        ("s", HASH[:-1] + b"8"),
        ("h", HASH[:-1] + b"1"),
        ("n", KEY_DIGITS[:-1] + b"1"),
        ("d", b"C1"),
        ("d", b"0"),
        ("m", b"C1"),
        ("r", bech32.from_bytes(bytes(51))[:-1] + b"1"),
        ("f", b"H" + bech32.from_bytes(bytes(20)) + b"0"),
        ("f", b"0" + HASH[:-1] + b"1"),
    ],
)
def test_padding_that_is_not_zero_is_refused(letter: str, digits: bytes) -> None:
    fields = {"p": P, "s": S, "d": D, letter: field(letter, digits)}
    refuse(of_only(*fields.values()), "padding")


def test_a_description_that_is_not_utf8_is_refused() -> None:
    refuse(of_only(P, S, field("d", bech32.from_bytes(b"\xff\xfe"))), "UTF-8")


def test_an_empty_description_is_a_description() -> None:
    assert decode(of_only(P, S, field("d", b""))).description == ""


def test_unknown_fields_are_skipped() -> None:
    unknown = b"2" + b"03" + b"VVV"
    assert decode(with_more(unknown, unknown)) == COFFEE


def test_fallback_addresses_of_versions_to_come_are_skipped() -> None:
    assert decode(with_more(field("f", b"J" + b"V" * 32), field("f", b""))) == COFFEE


@pytest.mark.parametrize("hops", [b"", b"\x02" * 50, b"\x02" * 52])
def test_a_route_hint_that_is_not_of_whole_hops_is_refused(hops: bytes) -> None:
    refuse(with_more(field("r", bech32.from_bytes(hops))), "whole hops")


@pytest.mark.parametrize("cut", [b"1", b"10", b"D01", field("d", b"00")[:-1]])
def test_a_field_that_is_cut_off_is_refused(cut: bytes) -> None:
    refuse(with_more(cut), "cut off")


@pytest.mark.parametrize("bit", [8, 14, 16, 24, 36, 48, 9, 15, 17, 49, 99, 101, 4999])
def test_known_and_odd_features_are_read(bit: int) -> None:
    assert decode(with_more(field("9", bech32.from_int(1 << bit)))).features == 1 << bit


@pytest.mark.parametrize("bit", [0, 2, 10, 18, 30, 50, 100, 4998])
def test_a_feature_required_and_unknown_is_refused(bit: int) -> None:
    features = field("9", bech32.from_int(1 << bit | 1 << 14 | 1 << 99))
    refuse(with_more(features), f"unknown required feature {bit}$")


def test_numbers_with_more_digits_than_needed_are_read() -> None:
    request = with_more(field("x", b"001S"), field("c", b"0A"), field("9", b""))
    assert decode(request) == replace(COFFEE, expiry_seconds=60, min_final_cltv_expiry_delta=10)


def test_without_an_expiry_it_is_an_hour() -> None:
    assert COFFEE.expires_at == datetime(2023, 11, 14, 23, 13, 20, tzinfo=UTC)


def test_an_expiry_after_the_year_9999_is_refused() -> None:
    last = 253_402_300_799 - COFFEE.timestamp
    assert decode(with_more(field("x", bech32.from_int(last)))).expires_at.year == 9999
    refuse(with_more(field("x", bech32.from_int(last + 1))), "expiry")
    refuse(with_more(field("x", b"V" * 1023)), "expiry")
