"""The contract of `service.ports.KeyStore`."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from msty_invoice.domain.errors import KeyNameTaken, KeyNotFound
from msty_invoice.domain.key import ApiKey, KeyKind
from msty_invoice.service.ports import KeyStore
from tests.fakes import NOON
from tests.storage.conftest import FAMILY, make_key

PUBLISHABLE = {"kind": KeyKind.PUBLISHABLE, "origins": ("https://msty.example",)}


def test_a_key_is_found_by_the_hash_of_its_secret(keys: KeyStore) -> None:
    key = make_key("pages", UUID(int=3), live=True, **PUBLISHABLE)
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


def test_origins_and_rate_are_kept(keys: KeyStore) -> None:
    pages = make_key("pages", UUID(int=3), **PUBLISHABLE)
    server = make_key("server", UUID(int=4), rate_per_minute=600)
    keys.add(pages, b"3" * 32)
    keys.add(server, b"4" * 32)

    assert keys.find(b"3" * 32) == pages
    assert keys.find(b"4" * 32) == server


def test_a_rotated_key_has_two_secrets_until_the_overlap_ends(keys: KeyStore) -> None:
    ends_at = keys.rotate(FAMILY, b"5" * 32, "sk_test_new", timedelta(hours=24))

    old, new = keys.find(b"1" * 32), keys.find(b"5" * 32)
    assert old is not None
    assert new is not None
    assert (old.id, old.name) == (new.id, new.name) == (FAMILY, "shop")
    assert new.prefix == "sk_test_new"
    current, ending = _listed(keys, "shop").secrets
    assert (current.prefix, current.ends_at) == ("sk_test_new", None)
    assert (ending.prefix, ending.ends_at) == ("sk_test_shop", ends_at)


def test_without_an_overlap_the_old_secret_ends_at_once(keys: KeyStore) -> None:
    keys.rotate(FAMILY, b"5" * 32, "sk_test_new", timedelta(0))

    assert keys.find(b"1" * 32) is None
    assert keys.find(b"5" * 32) is not None
    assert keys.find(b"2" * 32) is not None


def test_a_later_rotation_never_gives_an_ending_secret_more_time(keys: KeyStore) -> None:
    first_end = keys.rotate(FAMILY, b"5" * 32, "sk_test_5", timedelta(hours=1))
    second_end = keys.rotate(FAMILY, b"6" * 32, "sk_test_6", timedelta(hours=9))

    ends = {secret.prefix: secret.ends_at for secret in _listed(keys, "shop").secrets}

    assert ends == {"sk_test_6": None, "sk_test_5": second_end, "sk_test_shop": first_end}


def test_each_secret_has_a_last_use_of_its_own(keys: KeyStore) -> None:
    keys.rotate(FAMILY, b"5" * 32, "sk_test_new", timedelta(hours=24))
    keys.find(b"1" * 32)

    current, ending = _listed(keys, "shop").secrets

    assert current.last_used_at is None
    assert ending.last_used_at is not None


def test_a_revoked_key_is_found_by_none_of_its_secrets(keys: KeyStore) -> None:
    keys.rotate(FAMILY, b"5" * 32, "sk_test_new", timedelta(hours=24))

    revoked_at = keys.revoke(FAMILY)

    assert keys.find(b"1" * 32) is None
    assert keys.find(b"5" * 32) is None
    assert _listed(keys, "shop").revoked_at == revoked_at


def test_a_revoked_key_gives_its_name_back(keys: KeyStore) -> None:
    keys.revoke(FAMILY)

    keys.add(make_key("shop", uuid4()), b"9" * 32)

    assert keys.find(b"9" * 32) is not None


@pytest.mark.parametrize("key_id", [FAMILY, UUID(int=99)], ids=["revoked", "unknown"])
def test_only_a_key_in_use_is_rotated_or_revoked(keys: KeyStore, key_id: UUID) -> None:
    keys.revoke(FAMILY)

    with pytest.raises(KeyNotFound):
        keys.revoke(key_id)
    with pytest.raises(KeyNotFound):
        keys.rotate(key_id, b"5" * 32, "sk_test_new", timedelta(hours=1))
    assert keys.find(b"5" * 32) is None


def _listed(keys: KeyStore, name: str) -> ApiKey:
    (key,) = [key for key in keys.list() if key.name == name]
    return key
