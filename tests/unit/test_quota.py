"""Which buckets a request is counted in."""

from uuid import UUID

from msty_invoice.domain.key import ApiKey, KeyKind
from msty_invoice.domain.limit import Bucket, Pair
from msty_invoice.domain.quota import Quotas, create_pairs
from tests.fakes import NOON

ADDRESS = "192.0.2.1"
KEY_ID = UUID(int=7)
CREATE, HOURLY, KEY = Pair("create", 50, 60), Pair("create-hourly", 200, 3600), Pair("key", 3, 60)
READ, FAILURES = Pair("read", 300, 60), Pair("auth-failures", 10, 60)
QUOTAS = Quotas((CREATE,), HOURLY, KEY, READ, FAILURES)


def _key(kind: KeyKind = KeyKind.SECRET, rate: int | None = None) -> ApiKey:
    origins = ("https://shop.example",) if kind is KeyKind.PUBLISHABLE else ()
    return ApiKey(
        KEY_ID, "shop", kind, False, "sk_test", NOON, origins=origins, rate_per_minute=rate
    )


def test_a_secret_key_creates_as_often_as_its_address_may() -> None:
    assert QUOTAS.of("create", ADDRESS, _key()) == [Bucket("create:192.0.2.1", (CREATE,))]


def test_a_publishable_key_is_counted_by_the_hour_and_as_a_whole_too() -> None:
    assert QUOTAS.of("create", ADDRESS, _key(KeyKind.PUBLISHABLE)) == [
        Bucket("create:192.0.2.1", (CREATE,)),
        Bucket("create-hourly:192.0.2.1", (HOURLY,)),
        Bucket(f"key:{KEY_ID}", (KEY,)),
    ]


def test_a_key_with_a_rate_is_counted_alone() -> None:
    assert QUOTAS.of("create", ADDRESS, _key(rate=600)) == [
        Bucket(f"key:{KEY_ID}", (Pair("key", 600, 60),))
    ]


def test_an_unknown_key_counts_as_its_address() -> None:
    assert QUOTAS.of("create", ADDRESS, None) == [Bucket("create:192.0.2.1", (CREATE,))]


def test_every_read_counts_by_address() -> None:
    expected = [Bucket("read:192.0.2.1", (READ,))]

    for key in (None, _key(), _key(rate=600), _key(KeyKind.PUBLISHABLE)):
        assert QUOTAS.of("read", ADDRESS, key) == expected


def test_failures_have_a_bucket_of_their_own() -> None:
    assert QUOTAS.of_auth_failure(ADDRESS) == [Bucket("auth-failures:192.0.2.1", (FAILURES,))]


def test_without_a_burst_there_is_one_pair() -> None:
    assert create_pairs(50, 0) == (Pair("create", 50, 60),)


def test_a_burst_is_paid_back_over_ten_minutes() -> None:
    assert create_pairs(50, 30) == (Pair("create", 80, 60), Pair("create-sustained", 500, 600))
