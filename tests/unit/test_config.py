"""Settings: read once, everything wrong said at once, no secret shown."""

from pathlib import Path

import pytest

from msty_invoice.config import PROVIDERS, RIVER, WEB, Config, ConfigError
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


LNBITS_GOOD = {name: value for name, value in GOOD.items() if not name.startswith("RIVER_")} | {
    "LIGHTNING_PROVIDER": "lnbits",
    "LNBITS_URL": "https://lnbits.example",
    "LNBITS_INVOICE_KEY": "canary-invoice-key",
    "LNBITS_WEBHOOK_TOKEN": "canary-token-0123456789",
}


def test_each_provider_needs_its_own_settings_only() -> None:
    assert Config.from_env(LNBITS_GOOD, WEB).providers == ("lnbits",)
    assert Config.from_env(GOOD, WEB).providers == ("river",)


@pytest.mark.parametrize("provider", ["river", "lnbits"])
def test_the_provider_that_makes_invoices_must_be_set_up(provider: str) -> None:
    bare = {name: value for name, value in LNBITS_GOOD.items() if not name.startswith("LNBITS")}

    with pytest.raises(ConfigError) as caught:
        Config.from_env(bare | {"LIGHTNING_PROVIDER": provider}, WEB)

    assert set(caught.value.problems) == {f"{name} is missing" for name in PROVIDERS[provider]}


def test_the_provider_of_old_invoices_stays_set_up() -> None:
    config = Config.from_env(GOOD | LNBITS_GOOD, WEB)

    assert (config.lightning_provider, config.providers) == ("lnbits", ("river", "lnbits"))


def test_half_of_the_other_providers_settings_are_a_mistake() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_env(GOOD | {"LNBITS_URL": "https://lnbits.example"}, WEB)

    assert caught.value.problems == ["LNBITS_INVOICE_KEY is missing"]


@pytest.mark.parametrize(
    "token", ["short", "0123456789abcdef01234/", "0123456789abcdef012345,x", "é" * 22, "x" * 129]
)
def test_a_token_anyone_could_guess_is_refused(token: str) -> None:
    with pytest.raises(ConfigError, match="LNBITS_WEBHOOK_TOKEN is not 22"):
        Config.from_env(LNBITS_GOOD | {"LNBITS_WEBHOOK_TOKEN": token}, WEB)


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000", "http://localhost", "http://[::1]:5000"])
def test_an_lnbits_on_this_machine_needs_no_tls(url: str) -> None:
    mainnet = LNBITS_GOOD | {"LIGHTNING_NETWORK": "mainnet", "LNBITS_URL": url}

    assert Config.from_env(mainnet, WEB).lnbits_url == url


@pytest.mark.parametrize(
    "url",
    ["http://lnbits.example", "http://10.0.0.7", "http://127.0.0.1.example", "http://0.0.0.0"],
)
def test_an_lnbits_elsewhere_needs_it_on_mainnet(url: str) -> None:
    mainnet = LNBITS_GOOD | {"LIGHTNING_NETWORK": "mainnet", "LNBITS_URL": url}

    with pytest.raises(ConfigError, match="LNBITS_URL must start with https"):
        Config.from_env(mainnet, WEB)


def test_no_secret_of_lnbits_is_in_the_text_of_a_config() -> None:
    assert "canary" not in repr(Config.from_env(LNBITS_GOOD, WEB))
