"""Settings: read once, everything wrong said at once, no secret shown."""

from pathlib import Path

import pytest

from msty_invoice.config import RIVER, WEB, Config, ConfigError
from msty_invoice.domain.invoice import Network

GOOD = {
    "DATABASE_URL": "postgresql://web:canary-password@/invoices",
    "REDIS_URL": "redis://:canary-redis@localhost/0",
    "PUBLIC_URL": "https://pay.example",
    "LIGHTNING_PROVIDER": "river",
    "LIGHTNING_NETWORK": "regtest",
    "RIVER_BASE_URL": "http://127.0.0.1:8090",
    "RIVER_ACCOUNT_ID": "acc_EXAMPLE",
    "RIVER_API_KEY": "canary-key",
}


def _problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Config.from_env(environ, WEB | RIVER)
    return caught.value.problems


def test_good_settings_are_read_with_their_defaults() -> None:
    config = Config.from_env(GOOD, WEB | RIVER)

    assert config.network is Network.REGTEST
    assert (config.min_amount_sats, config.max_amount_sats) == (1, 1_000_000)
    assert config.provider_deadline_seconds == 8


def test_everything_missing_is_said_at_once() -> None:
    problems = _problems({"REDIS_URL": "redis://localhost"})

    assert len(problems) == len(WEB | RIVER) - 1
    assert "DATABASE_URL is missing" in problems
    assert "RIVER_API_KEY is missing" in problems


def test_a_process_demands_only_what_it_uses() -> None:
    assert Config.from_env({"DATABASE_URL": "postgresql:///x"}, {"DATABASE_URL"}).redis_url == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://canary"),
        # What urlsplit refuses it quotes.
        ("DATABASE_URL", "postgresql://web:canary\N{ACCOUNT OF}@/invoices"),
        ("DATABASE_URL", "postgresql://web:x[canary]x@/invoices"),
        ("REDIS_URL", "redis://:canary\N{ACCOUNT OF}@localhost/0"),
        ("RIVER_WEBHOOK_SECRET", "canary"),
        # An empty secret among the others is one that everybody has.
        ("RIVER_WEBHOOK_SECRET", "c0ffee,"),
        ("RIVER_WEBHOOK_SECRET", ","),
        ("REDIS_URL", "canary"),
        ("LIGHTNING_NETWORK", "canary"),
        ("LIGHTNING_PROVIDER", "canary"),
        ("MAX_AMOUNT_SATS", "canary"),
        ("MAX_AMOUNT_SATS", "1_000"),
        ("MAX_AMOUNT_SATS", "0"),
        ("MAX_MEMO_LENGTH", "640"),
        ("PROVIDER_DEADLINE_SECONDS", "14"),
        ("CLIENT_ADDRESS", "x-forwarded-for"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(name: str, value: str) -> None:
    (problem,) = _problems(GOOD | {name: value})

    assert problem.startswith(f"{name} ")
    assert "canary" not in problem


def test_contradicting_settings_are_refused() -> None:
    assert _problems(GOOD | {"MIN_AMOUNT_SATS": "10", "MAX_AMOUNT_SATS": "9"}) == [
        "MIN_AMOUNT_SATS is larger than MAX_AMOUNT_SATS"
    ]


@pytest.mark.parametrize("url", ["http://river.example", "HTTP://river.example"])
def test_money_never_travels_in_the_clear_on_mainnet(url: str) -> None:
    assert _problems(GOOD | {"LIGHTNING_NETWORK": "mainnet", "RIVER_BASE_URL": url}) == [
        "RIVER_BASE_URL must start with https on mainnet"
    ]


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    environ = GOOD | {"RIVER_API_KEY_FILE": str(tmp_path / "key")}

    assert Config.from_env(environ, WEB | RIVER).river_api_key == "from-a-file"


def test_an_unreadable_file_is_named_by_its_setting(tmp_path: Path) -> None:
    (problem,) = _problems(GOOD | {"RIVER_API_KEY_FILE": str(tmp_path / "none")})

    assert problem.startswith("RIVER_API_KEY is in a file that cannot be read")


def test_no_secret_is_in_the_text_of_a_config() -> None:
    assert "canary" not in repr(Config.from_env(GOOD, WEB | RIVER))
