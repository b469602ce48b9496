"""The contract of `service.ports.KeyStore`."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from msty_invoice.domain.errors import KeyNameTaken
from msty_invoice.domain.key import KeyKind
from msty_invoice.service.ports import KeyStore
from tests.fakes import NOON
from tests.storage.conftest import FAMILY, make_key


def test_a_key_is_found_by_the_hash_of_its_secret(keys: KeyStore) -> None:
    key = make_key("pages", UUID(int=3), kind=KeyKind.PUBLISHABLE, live=True)
    keys.add(key, b"3" * 32)

    assert keys.find(b"3" * 32) == key


def test_an_unknown_secret_finds_nothing(keys: KeyStore) -> None:
    assert keys.find(b"?" * 32) is None


def test_the_use_of_a_key_is_noted(keys: KeyStore) -> None:
    keys.find(b"1" * 32)

    used = {key.id: key.last_used_at is not None for key in keys.list()}

    assert used[FAMILY]
    assert sum(used.values()) == 1


def test_two_keys_cannot_have_one_name(keys: KeyStore) -> None:
    with pytest.raises(KeyNameTaken):
        keys.add(make_key("shop", uuid4()), b"9" * 32)

    assert keys.find(b"9" * 32) is None


def test_keys_are_listed_oldest_first(keys: KeyStore) -> None:
    keys.add(make_key("older", UUID(int=9), created_at=NOON - timedelta(days=1)), b"9" * 32)

    assert [key.name for key in keys.list()] == ["older", "shop", "other"]
