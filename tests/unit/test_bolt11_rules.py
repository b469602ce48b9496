"""Rules of BOLT #11 that its examples do not show, each on an invoice that is otherwise sound."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from coincurve import PrivateKey

from msty_invoice.domain.invoice import Network
from msty_invoice.lightning import bech32
from msty_invoice.lightning.bolt11 import (
    Bolt11,
    Bolt11Error,
    FallbackAddress,
    RouteHop,
    data_part,
    decode,
    encode,
    field,
    sign,
)

KEY = bytes(range(1, 33))
PAYEE = PrivateKey(KEY).public_key.format().hex()
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
COFFEE = Bolt11(
    network=Network.MAINNET,
    amount_msat=250_000_000,
    timestamp=1_700_000_000,
    payment_hash="01" * 32,
    payment_secret="11" * 32,
    description="1 cup coffee",
    payee=PAYEE,
)
HASH = bech32.from_bytes(bytes(32))
KEY_DIGITS = bech32.from_bytes(bytes.fromhex(PAYEE))
TIMESTAMP = data_part(COFFEE)[:7]
P, S, D = field("p", HASH), field("s", HASH), field("d", bech32.from_bytes(b"tea"))


def with_more(*fields: bytes) -> str:
    return sign("lnbc2500u", data_part(COFFEE) + b"".join(fields), KEY)


def of_only(*fields: bytes) -> str:
    return sign("lnbc2500u", TIMESTAMP + b"".join(fields), KEY)


def refuse(payment_request: str, reason: str | None = None) -> None:
    with pytest.raises(Bolt11Error, match=reason):
        decode(payment_request)


@pytest.mark.parametrize(
    ("prefix", "network"),
    [
        ("lnbc2500u", Network.MAINNET),
        ("lntb2500u", Network.TESTNET),
        ("lntbs2500u", Network.SIGNET),
        ("lnbcrt2500u", Network.REGTEST),
    ],
)
def test_each_network_has_its_prefix(prefix: str, network: Network) -> None:
    assert decode(sign(prefix, data_part(COFFEE), KEY)) == replace(COFFEE, network=network)
    assert encode(replace(COFFEE, network=network), KEY).startswith(f"{prefix}1")


@pytest.mark.parametrize(
    "prefix",
    [
        "lnsb2500u",
        "lnbcr2500u",
        "lntbx2500u",
        "ln2500u",
        "bc2500u",
        "lnbc2500u ",
        "xlnbc2500u",
        "ln",
    ],
)
def test_other_prefixes_are_refused(prefix: str) -> None:
    refuse(sign(prefix, data_part(COFFEE), KEY), "prefix")


@pytest.mark.parametrize(
    ("written", "msat"),
    [
        ("", None),
        ("1", 10**11),
        ("20m", 2 * 10**9),
        ("2500u", 250_000_000),
        ("1n", 100),
        ("10p", 1),
        ("9678785340p", 967_878_534),
        ("21000000", 21 * 10**17),
    ],
)
def test_an_amount_is_read_and_written_to_the_millisatoshi(written: str, msat: int | None) -> None:
    request = sign(f"lnbc{written}", data_part(COFFEE), KEY)
    assert decode(request) == replace(COFFEE, amount_msat=msat)
    assert encode(replace(COFFEE, amount_msat=msat), KEY) == request


@pytest.mark.parametrize(
    "written",
    [
        "0",
        "0u",
        "01",
        "02500u",
        "2500x",
        "m",
        "p",
        "+1",
        "-1",
        "1_0",
        "1.5m",
        "1 ",
        "2500uu",
        "1e3",
    ],
)
def test_a_malformed_amount_is_refused(written: str) -> None:
    refuse(sign(f"lnbc{written}", data_part(COFFEE), KEY), "malformed amount")


@pytest.mark.parametrize("written", ["1p", "2500000001p", "99p"])
def test_a_fraction_of_a_millisatoshi_is_refused(written: str) -> None:
    refuse(sign(f"lnbc{written}", data_part(COFFEE), KEY), "fraction of a millisatoshi")


@pytest.mark.parametrize("written", ["21000001", "99999999999999999999"])
def test_more_bitcoin_than_there_are_is_refused(written: str) -> None:
    refuse(sign(f"lnbc{written}", data_part(COFFEE), KEY), "more bitcoin than there are")


def test_an_amount_of_five_thousand_digits_is_refused() -> None:
    refuse(sign(f"lnbc{'9' * 5000}", data_part(COFFEE), KEY), "malformed amount")


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


def signed(data: bytes, *, key: bytes = KEY, high_s: bool = False, recovery_id: int = 0) -> str:
    """Sign as BOLT #11 words it, bit by bit and apart from our own codec's way."""
    bits = "".join(f"{int(chr(digit), 32):05b}" for digit in data)
    bits += "0" * (-len(bits) % 8)
    message = b"lnbc2500u" + bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    signature = bytearray(PrivateKey(key).sign_recoverable(message))
    if high_s:
        signature[32:64] = (ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
        signature[64] ^= 1  # the other of the two points this r may stand for
    signature[64] += recovery_id
    return bech32.encode("lnbc2500u", data + bech32.from_bytes(bytes(signature)))


def test_what_is_signed_is_what_the_bolt_says() -> None:
    assert signed(data_part(COFFEE)) == encode(COFFEE, KEY)


def test_a_signature_with_a_high_s_is_recovered_but_not_verified() -> None:
    named = data_part(COFFEE) + field("n", KEY_DIGITS)
    assert decode(signed(data_part(COFFEE), high_s=True)) == COFFEE
    assert decode(signed(named)) == COFFEE
    refuse(signed(named, high_s=True), "not signed by the payee")


def test_a_payee_who_did_not_sign_is_refused() -> None:
    named = data_part(COFFEE) + field("n", KEY_DIGITS)
    refuse(signed(named, key=bytes(range(2, 34))), "not signed by the payee")
    no_key = field("n", bech32.from_bytes(bytes(33)))
    refuse(signed(data_part(COFFEE) + no_key), "no public key")


def test_a_recovery_id_above_three_is_refused() -> None:
    refuse(signed(data_part(COFFEE), recovery_id=4), "no public key")
    refuse(signed(data_part(COFFEE) + field("n", KEY_DIGITS), recovery_id=4), "not signed by")


def test_a_payment_request_has_at_most_7089_characters() -> None:
    refuse("1" * 7089, "separator")
    refuse("1" * 7090, "longer than 7089")
    refuse("lnbc1" + "q" * 10_000_000, "longer than 7089")


@pytest.mark.parametrize(
    "garbage", ["", " ", "1", "lnbc1", "lightning:lnbc1", "\x00", "\ud800", "１"]
)
def test_garbage_is_refused(garbage: str) -> None:
    refuse(garbage)


def test_white_space_around_a_payment_request_is_refused() -> None:
    request = encode(COFFEE, KEY)
    for spoiled in (f" {request}", f"{request}\n", f"{request} "):
        refuse(spoiled)


HOP = RouteHop("02" * 33, 1, 1, 1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"payee": "02" * 33},
        {"payment_hash": "01" * 31},
        {"payment_secret": "zz" * 32},
        {"description": None, "description_hash": "01" * 33},
        {"description": "é" * 320},
        {"description": "\ud800"},
        {"metadata": bytes(640)},
        {"route_hints": ((),)},
        {"route_hints": ((replace(HOP, public_key="02" * 32),),)},
        {"route_hints": ((replace(HOP, fee_base_msat=1 << 32),),)},
        {"route_hints": ((replace(HOP, cltv_expiry_delta=-1),),)},
        {"route_hints": ((HOP,) * 13,)},
        {"fallback_addresses": (FallbackAddress(19, b""),)},
        {"fallback_addresses": (FallbackAddress(-1, b""),)},
        {"features": 1 << 5115},
    ],
)
def test_what_cannot_be_read_back_is_not_written(change: dict[str, object]) -> None:
    invoice = replace(COFFEE, **change)  # type: ignore[arg-type]
    with pytest.raises(Bolt11Error):
        encode(invoice, KEY)


@pytest.mark.parametrize(
    "change",
    [
        {"amount_msat": 0},
        {"amount_msat": -1},
        {"amount_msat": 21 * 10**17 + 1},
        {"description": None},
        {"description_hash": "01" * 32},
        {"timestamp": -1},
        {"timestamp": 1 << 35},
        {"expiry_seconds": -1},
        {"expiry_seconds": 1 << 40},
        {"min_final_cltv_expiry_delta": -1},
        {"features": 1},
        {"features": -1},
    ],
)
def test_an_invoice_that_no_rule_allows_cannot_be_made(change: dict[str, object]) -> None:
    with pytest.raises(Bolt11Error):
        replace(COFFEE, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [b"", bytes(32), b"\xff" * 32, bytes(31), bytes(33)])
def test_what_is_no_private_key_signs_nothing(key: bytes) -> None:
    with pytest.raises(Bolt11Error, match="private key"):
        encode(COFFEE, key)


def test_a_payee_left_empty_becomes_who_signed() -> None:
    assert decode(encode(replace(COFFEE, payee=""), KEY)) == COFFEE
