"""Whom an address counts as, and which limits make sense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msty_invoice.domain.limit import UNREADABLE_ADDRESS, Decision, Pair, address_key


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("127.0.0.7", "127.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("fe80::1%25eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:0201", "192.0.2.1"),
        ("::ffff:192.0.2.1%eth0", "192.0.2.1"),
    ],
)
def test_an_address_counts_as_its_subscriber(address: str, key: str) -> None:
    assert address_key(address) == key


@pytest.mark.parametrize(
    "address",
    [
        "",
        " 192.0.2.1",
        "192.0.2.1\n",
        "192.0.2.1:443",
        "[2001:db8::1]",
        "2001:db8::/64",
        "192.0.2.1, 198.51.100.1",
        "010.0.0.1",
        "192.0.2.256",
        "192.0.2",
        "3221225985",
        "fe80::1%",
        "1٢.0.0.1",
        "unix:",
        "localhost",
        "x" * 100_000,
    ],
)
def test_all_that_is_no_address_counts_as_one_client(address: str) -> None:
    assert address_key(address) == UNREADABLE_ADDRESS


@given(st.text())
def test_no_text_is_an_error_or_gains_a_key_with_its_own_words(address: str) -> None:
    key = address_key(address)
    assert len(key) <= 43
    assert key.isascii()


@given(st.ip_addresses(v=4))
def test_each_ipv4_address_is_a_client(address: object) -> None:
    assert address_key(str(address)) == str(address)


@given(st.integers(0x2000 << 48, (0x4000 << 48) - 1), st.sets(st.integers(0, 2**64 - 1)))
def test_all_addresses_of_a_64_are_one_client(network: int, hosts: set[int]) -> None:
    words = [network >> shift & 0xFFFF for shift in (48, 32, 16, 0)]
    keys = {
        address_key(":".join(f"{word:x}" for word in [*words, *_words(host)]))
        for host in hosts | {0}
    }
    assert len(keys) == 1


def _words(host: int) -> list[int]:
    return [host >> shift & 0xFFFF for shift in (48, 32, 16, 0)]


@pytest.mark.parametrize("name", ["", 'a"', "a b", "Create", "é", "a\n", "1a"])
def test_a_policy_has_a_name_that_headers_can_carry(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        Pair(name, 1, 1)


@pytest.mark.parametrize(("cap", "window"), [(0, 60), (-1, 60), (50, 0), (50, -60)])
def test_a_limit_admits_something_in_some_time(cap: int, window: int) -> None:
    with pytest.raises(ValueError, match="admits nothing"):
        Pair("create", cap, window)


def test_only_a_refused_request_has_to_wait() -> None:
    pair = Pair("create", 50, 60)
    assert Decision(True, pair, 0, 12).wait_seconds == 0
    assert Decision(False, pair, 0, 12).wait_seconds == 12
