"""Failpoints: none without the setting, none on mainnet, none that does not exist."""

import pytest

from msty_invoice import bootstrap
from msty_invoice.cli import main
from msty_invoice.config import Config, ConfigError
from msty_invoice.failpoints import names
from msty_invoice.failpoints.plan import Action, Failpoint, Side, read
from msty_invoice.failpoints.points import Failpoints
from msty_invoice.lightning.http import HttpService
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.redis_link import RedisLink

SETTINGS = {
    "DATABASE_URL": "postgresql:///nowhere",
    "REDIS_URL": "redis://127.0.0.1:1",
    "LIGHTNING_NETWORK": "regtest",
    "RIVER_BASE_URL": "http://127.0.0.1:1",
}
ADD = "after:invoices._ADD=kill"


def _config(failpoints: str, **settings: str) -> Config:
    return Config.from_env(SETTINGS | {"MSTY_FAILPOINTS": failpoints} | settings)


def test_without_the_setting_nothing_looks_for_failpoints() -> None:
    config = Config.from_env(SETTINGS)

    assert type(bootstrap._database(config)) is Database
    assert type(bootstrap._link(config)) is RedisLink
    assert type(bootstrap._river_client(config, 1.0)._http) is HttpService


def test_with_it_every_connection_can_fail() -> None:
    config = _config(ADD)

    assert type(bootstrap._database(config)) is not Database
    assert type(bootstrap._link(config)) is not RedisLink
    assert type(bootstrap._river_client(config, 1.0)._http) is not HttpService


@pytest.mark.parametrize("network", ["mainnet", ""], ids=["mainnet", "unnamed"])
def test_they_are_refused_on_mainnet_and_where_it_might_be(network: str) -> None:
    with pytest.raises(ConfigError, match="MSTY_FAILPOINTS is for tests"):
        _config(ADD, LIGHTNING_NETWORK=network, RIVER_BASE_URL="https://river.example")


def test_a_point_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(ConfigError) as caught:
        bootstrap.ensure_failpoints(_config("before:invoices._ADDED=kill"))

    assert all(name in str(caught.value) for name in names.known())


def test_a_command_refuses_it_as_it_refuses_any_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (SETTINGS | {"MSTY_FAILPOINTS": "before:nothing=kill"}).items():
        monkeypatch.setenv(name, value)

    assert main(["keys", "list"]) == 2
    assert "MSTY_FAILPOINTS has a name other than" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("after:invoices._ADD=explode", "an action other than kill, term, cut, lose"),
        ("before:invoices._ADD=lose", "before there is one"),
        ("invoices._ADD=kill", "is not before:NAME"),
        ("after:invoices._ADD=kill@0", "is not before:NAME"),
        (f"{ADD};", "is not before:NAME"),
    ],
)
def test_what_makes_no_sense_is_a_settings_error(value: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        _config(value)


def test_several_are_read_in_order() -> None:
    assert read(f"{ADD}@2; before:river GET /=term") == (
        Failpoint(Side.AFTER, "invoices._ADD", Action.KILL, 2),
        Failpoint(Side.BEFORE, "river GET /", Action.TERM),
    )


def test_one_fires_the_nth_time_it_is_reached_and_only_then() -> None:
    fired: list[int] = []
    lost: list[bool] = []
    points = Failpoints(read("before:invoices._ADD=cut@2;after:invoices._ADD=lose"))
    points.cuts.append(lambda: fired.append(len(lost)))

    for _ in range(4):
        points.before("invoices._ADD")
        points.before("keys._ADD")
        lost.append(points.after("invoices._ADD"))

    assert fired == [1]
    assert lost == [True, False, False, False]


def test_a_statement_has_one_name() -> None:
    found = list(names.statements().values())

    assert len(found) == len(set(found))
    assert {"invoices._ADD", "idempotency._FINISH", "cleanup._DELETE.invoices"} <= set(found)


def test_only_whole_statements_that_write_have_one() -> None:
    found = set(names.statements().values())

    assert not {"invoices.INSERT_INVOICE", "invoices._BY_ID", "cleanup._CHOICES.invoices"} & found
