"""Where a key may be used from."""

from uuid import UUID

import pytest

from msty_invoice.domain.key import ApiKey, KeyKind
from tests.fakes import NOON

SHOP, BLOG = "https://shop.example", "https://blog.example"


def _key(kind: KeyKind, *origins: str) -> ApiKey:
    return ApiKey(UUID(int=1), "shop", kind, False, "pk_test", NOON, origins=origins)


@pytest.mark.parametrize("origin", [None, "null", SHOP, "anything"])
def test_a_secret_key_is_for_servers_which_have_no_origin(origin: str | None) -> None:
    assert _key(KeyKind.SECRET).serves(origin)


def test_a_publishable_key_works_on_each_of_its_pages() -> None:
    key = _key(KeyKind.PUBLISHABLE, SHOP, BLOG)

    assert key.serves(SHOP)
    assert key.serves(BLOG)


@pytest.mark.parametrize(
    "origin",
    [None, "", "null", BLOG, f"{SHOP}/", f"{SHOP}:443", f"{SHOP}.evil.example", SHOP.upper()],
)
def test_a_publishable_key_works_nowhere_else(origin: str | None) -> None:
    assert not _key(KeyKind.PUBLISHABLE, SHOP).serves(origin)
