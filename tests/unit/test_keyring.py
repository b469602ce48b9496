"""Recognising the keys that requests carry."""

import re

import pytest

from msty_invoice.domain.errors import Unauthorized
from msty_invoice.domain.invoice import Network
from msty_invoice.domain.key import fingerprint
from msty_invoice.service.keys import Keyring, Keys
from tests.fakes import Clock, MemoryKeys


class TestKeys:
    def setup_method(self) -> None:
        self.clock = Clock()
        self.store = MemoryKeys(self.clock)

    def keys(self, network: Network = Network.REGTEST) -> Keys:
        return Keys(self.store, network, self.clock)

    def keyring(self, network: Network = Network.REGTEST) -> Keyring:
        return Keyring(self.store, network, self.clock.monotonic)

    def test_a_created_key_is_recognised(self) -> None:
        key, secret = self.keys().create("shop")

        assert self.keyring().recognise(secret).id == key.id
        assert re.fullmatch(r"sk_test_[A-Za-z0-9_-]{43}", secret)

    def test_only_a_hash_of_the_secret_is_kept(self) -> None:
        key, secret = self.keys().create("shop")

        assert list(self.store.kept) == [fingerprint(secret)]
        assert secret not in repr(self.store.kept)
        assert secret.startswith(key.prefix)
        assert len(key.prefix) < 16

    def test_no_two_secrets_are_alike(self) -> None:
        secrets = {self.keys().create(f"shop {n}")[1] for n in range(20)}

        assert len(secrets) == 20

    @pytest.mark.parametrize(
        "change", [lambda s: s[:-1] + "!", lambda s: s + "A", lambda s: "", lambda s: s[3:]]
    )
    def test_what_has_not_the_form_of_a_key_costs_no_lookup(self, change) -> None:  # type: ignore[no-untyped-def]
        _, secret = self.keys().create("shop")

        with pytest.raises(Unauthorized):
            self.keyring().recognise(change(secret))
        assert self.store.lookups == 0

    def test_a_secret_that_differs_in_one_letter_is_not_recognised(self) -> None:
        _, secret = self.keys().create("shop")
        other = secret[:-1] + ("A" if secret[-1] != "A" else "B")

        with pytest.raises(Unauthorized):
            self.keyring().recognise(other)

    def test_a_test_key_does_not_work_on_mainnet(self) -> None:
        _, secret = self.keys().create("shop")

        with pytest.raises(Unauthorized):
            self.keyring(Network.MAINNET).recognise(secret)

    def test_a_live_key_works_on_mainnet_only(self) -> None:
        _, secret = self.keys(Network.MAINNET).create("shop")

        assert secret.startswith("sk_live_")
        assert self.keyring(Network.MAINNET).recognise(secret).live
        with pytest.raises(Unauthorized):
            self.keyring(Network.TESTNET).recognise(secret)

    def test_a_key_is_looked_up_once_in_thirty_seconds(self) -> None:
        _, secret = self.keys().create("shop")
        keyring = self.keyring()

        for _ in range(3):
            keyring.recognise(secret)
            self.clock.advance(seconds=9)
        assert self.store.lookups == 1
        self.clock.advance(seconds=4)
        keyring.recognise(secret)
        assert self.store.lookups == 2

    def test_a_revoked_key_is_forgotten_within_thirty_seconds(self) -> None:
        key, secret = self.keys().create("shop")
        keyring = self.keyring()
        keyring.recognise(secret)

        self.store.revoke(key.id)
        self.clock.advance(seconds=30)

        with pytest.raises(Unauthorized):
            keyring.recognise(secret)
