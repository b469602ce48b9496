"""The settings of keys, limits and Redis."""

import pytest

from msty_invoice.config import Config, ConfigError


def _problems(**environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Config.from_env(environ)
    return caught.value.problems


def test_the_limits_are_those_of_the_contract() -> None:
    config = Config.from_env({})

    assert (config.rate_limit_per_minute, config.rate_limit_burst) == (50, 0)
    assert (config.rate_limit_hourly, config.rate_limit_per_key) == (200, 3000)
    assert config.rate_limit_reads_per_minute == 300
    assert config.rate_limit_auth_failures_per_minute == 10
    assert config.client_address == "peer"
    assert config.origins_file == "/etc/msty-invoice/origins"


@pytest.mark.parametrize("name", ["PER_MINUTE", "HOURLY", "PER_KEY", "READS_PER_MINUTE"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many"])
def test_a_limit_admits_something(name: str, value: str) -> None:
    (problem,) = _problems(**{f"RATE_LIMIT_{name}": value})

    assert problem.startswith(f"RATE_LIMIT_{name} is not a whole number from 1 to ")


def test_a_burst_that_could_never_be_used_is_refused() -> None:
    limits = {"RATE_LIMIT_PER_MINUTE": "50", "RATE_LIMIT_BURST": "451"}

    assert _problems(**limits) == ["RATE_LIMIT_BURST is more than nine times RATE_LIMIT_PER_MINUTE"]
    assert Config.from_env(limits | {"RATE_LIMIT_BURST": "450"}).rate_limit_burst == 450


def test_all_problems_are_said_together() -> None:
    problems = _problems(RATE_LIMIT_HOURLY="0", RATE_LIMIT_BURST="451", PUBLIC_URL="https://")

    assert [problem.split()[0] for problem in problems] == [
        "PUBLIC_URL",
        "RATE_LIMIT_HOURLY",
        "RATE_LIMIT_BURST",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://10.0.0.1:26379/mymaster",
        "redis+sentinel://a:26379,b:26379,c:26379/mymaster/2",
        "redis+sentinel://:secret@a:26379/mymaster/0",
    ],
)
def test_redis_may_be_found_by_sentinels(url: str) -> None:
    assert Config.from_env({"REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize(
    "rest", ["", "//", "//canary:26379", "//canary/m", "//canary:1/", "//canary:1/m/x", "//a:1,/m"]
)
def test_a_half_written_sentinel_address_is_refused_unsaid(rest: str) -> None:
    assert _problems(REDIS_URL=f"redis+sentinel:{rest}") == [
        "REDIS_URL is not redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB"
    ]


def test_our_pages_are_known_by_their_origin() -> None:
    config = Config.from_env({"PUBLIC_URL": "https://Pay.example:443/somewhere/"})

    assert config.public_origin == "https://pay.example"


@pytest.mark.parametrize("url", ["https://", "https://pay.example:port", "pay.example"])
def test_an_address_of_no_pages_is_refused(url: str) -> None:
    assert _problems(PUBLIC_URL=url) == [
        "PUBLIC_URL is not a URL of pages, such as https://pay.example"
    ]
