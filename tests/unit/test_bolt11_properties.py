"""What holds for every invoice and for every text."""

import re
from dataclasses import replace
from datetime import UTC, datetime

from coincurve import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from msty_invoice.domain.invoice import Network
from msty_invoice.lightning import bech32
from msty_invoice.lightning.bolt11 import (
    Bolt11,
    Bolt11Error,
    FallbackAddress,
    RouteHop,
    decode,
    encode,
    sign,
)

KEY = bytes(range(1, 33))
PAYEE = PrivateKey(KEY).public_key.format().hex()
ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l1bioQPLN "

hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
memos = st.text(st.characters(codec="utf-8"), max_size=639).filter(lambda m: len(m.encode()) <= 639)
known_even = st.sampled_from((8, 14, 16, 24, 36, 48))
odd = st.integers(0, 2500).map(lambda half: 2 * half + 1)
hops = st.builds(
    RouteHop,
    public_key=st.binary(min_size=33, max_size=33).map(bytes.hex),
    short_channel_id=st.integers(0, 2**64 - 1),
    fee_base_msat=st.integers(0, 2**32 - 1),
    fee_proportional_millionths=st.integers(0, 2**32 - 1),
    cltv_expiry_delta=st.integers(0, 2**16 - 1),
)


@st.composite
def invoices(draw: st.DrawFn) -> Bolt11:
    described = draw(st.booleans())
    timestamp = draw(st.integers(0, 2**35 - 1))
    latest = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) - timestamp
    return Bolt11(
        network=draw(st.sampled_from(Network)),
        amount_msat=draw(st.none() | st.integers(1, 21 * 10**17)),
        timestamp=timestamp,
        payment_hash=draw(hashes),
        payment_secret=draw(hashes),
        description=draw(memos) if described else None,
        description_hash=None if described else draw(hashes),
        expiry_seconds=draw(st.just(3600) | st.integers(0, latest)),
        min_final_cltv_expiry_delta=draw(st.just(18) | st.integers(0, 2**64)),
        features=sum(1 << bit for bit in draw(st.sets(known_even | odd, max_size=5))),
        payee=PAYEE,
        route_hints=tuple(
            draw(st.lists(st.lists(hops, min_size=1, max_size=12).map(tuple), max_size=2))
        ),
        fallback_addresses=tuple(
            draw(
                st.lists(
                    st.builds(FallbackAddress, st.integers(0, 18), st.binary(max_size=40)),
                    max_size=2,
                )
            )
        ),
        metadata=draw(st.none() | st.binary(max_size=639)),
    )


SHORT = encode(
    Bolt11(
        network=Network.REGTEST,
        amount_msat=250_000_000,
        timestamp=1_700_000_000,
        payment_hash="01" * 32,
        payment_secret="11" * 32,
        description="1 cup coffee",
    ),
    KEY,
)


def is_refused(text: str) -> bool:
    """Whether `decode` refuses a text; any error but its own fails the test."""
    try:
        decode(text)
    except Bolt11Error:
        return True
    return False


@settings(deadline=None)
@given(invoices())
def test_what_is_written_is_read_back(invoice: Bolt11) -> None:
    request = encode(invoice, KEY)
    assert decode(request) == decode(request.upper()) == invoice
    assert encode(invoice, KEY) == request


@settings(deadline=None)
@given(invoices(), st.data())
def test_any_single_changed_character_is_refused(invoice: Bolt11, data: st.DataObject) -> None:
    request = encode(invoice, KEY)
    place = data.draw(st.integers(0, len(request) - 1))
    other = data.draw(st.characters().filter(lambda c: c != request[place]))
    assert is_refused(request[:place] + other + request[place + 1 :])


def test_every_single_changed_character_of_one_invoice_is_refused() -> None:
    assert not is_refused(SHORT)
    for place, letter in enumerate(SHORT):
        for other in ALPHABET.replace(letter, ""):
            assert is_refused(SHORT[:place] + other + SHORT[place + 1 :]), (place, other)


def test_every_truncated_invoice_is_refused() -> None:
    for length in range(len(SHORT)):
        assert is_refused(SHORT[:length])
        assert is_refused(SHORT[-length:] if length else "")


@given(st.text(ALPHABET, min_size=1) | st.text(min_size=1))
def test_an_extended_invoice_is_refused(more: str) -> None:
    assert is_refused(SHORT + more)
    assert is_refused(more + SHORT)


@given(st.text() | st.text(ALPHABET).map(lambda text: f"lnbc1{text}"))
def test_a_random_text_is_refused_and_nothing_worse(text: str) -> None:
    assert is_refused(text)


prefixes = st.sampled_from(
    ("lnbc", "lntb1u", "lntbs20m", "lnbcrt10p", "lnbc1p", "ln")
) | st.from_regex(re.compile(r"[!-0a-z2-9]{1,20}", re.ASCII), fullmatch=True)
digits = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUV", max_size=1500).map(str.encode)


@given(prefixes, digits)
def test_a_sound_checksum_over_anything_does_no_worse_than_be_refused(
    prefix: str, data: bytes
) -> None:
    is_refused(bech32.encode(prefix, data))


@st.composite
def odd_fields(draw: st.DrawFn) -> bytes:
    """A field with any tag and any data, of the length it says or nearly."""
    data = draw(
        st.one_of(
            digits.filter(lambda d: len(d) < 60),
            st.binary(min_size=32, max_size=33).map(bech32.from_bytes),
        )
    )
    tag = draw(st.sampled_from([bytes([letter]) for letter in b"13JD56G9NOR2"]))
    length = max(0, len(data) + draw(st.sampled_from((0, 0, 0, 0, 0, 1, -1))))
    return tag + bech32.from_int(length).rjust(2, b"0") + data


@settings(deadline=None, max_examples=300)
@given(st.lists(odd_fields(), max_size=5).map(b"".join))
def test_signed_nonsense_is_refused_or_read_the_same_each_time(fields: bytes) -> None:
    request = sign("lnbc2500u", b"1R8T0LV" + fields, KEY)
    if not is_refused(request):
        invoice = decode(request)
        assert decode(encode(replace(invoice, payee=""), KEY)) == replace(invoice, payee=PAYEE)
