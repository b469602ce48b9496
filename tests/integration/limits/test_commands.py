"""`msty-invoice keys …`, as an operator types it."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.databases import DatabaseOfOne
from tests.integration.limits.conftest import SHOP

_ROOT = Path(__file__).parents[3]
_SECRET = re.compile(r"[sp]k_test_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Operator:
    """Whoever types commands, with the settings of one deployment."""

    settings: dict[str, str]

    def keys(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `msty-invoice keys ARGUMENTS` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "msty_invoice.cli", "keys", *arguments],
            env={"PATH": os.environ["PATH"], **self.settings},
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def said(self, *arguments: str) -> Any:
        """The JSON of a command that must succeed."""
        ended = self.keys(*arguments, "--json")
        assert (ended.returncode, ended.stderr) == (0, "")
        return json.loads(ended.stdout)


@pytest.fixture
def operator(database: DatabaseOfOne, tmp_path: Path) -> Operator:
    origins = tmp_path / "origins"
    origins.write_text(f"{SHOP}\n")
    return Operator(
        {
            "DATABASE_URL": database.app,
            "LIGHTNING_NETWORK": "regtest",
            "ORIGINS_FILE": str(origins),
        }
    )


def test_a_secret_is_shown_once(operator: Operator) -> None:
    shown = operator.keys("create", "--name", "once")
    (secret,) = _SECRET.findall(shown.stdout)

    assert shown.returncode == 0
    assert "cannot be shown again" in shown.stdout
    for arguments in (("list",), ("list", "--json")):
        assert secret not in operator.keys(*arguments).stdout
        assert secret[:14] in operator.keys(*arguments).stdout


def test_a_page_key_and_a_server_key_are_listed_with_what_they_may(operator: Operator) -> None:
    operator.said("create", "--name", "listed page", "--publishable", "--origin", SHOP)
    operator.said("create", "--name", "listed server", "--rate", "600")

    keys = {key["name"]: key for key in operator.said("list")}
    table = operator.keys("list").stdout.splitlines()

    page, server = keys["listed page"], keys["listed server"]
    assert (page["kind"], page["origins"], page["rate_per_minute"]) == ("publishable", [SHOP], None)
    assert (server["kind"], server["origins"], server["rate_per_minute"]) == ("secret", [], 600)
    assert " ".join(table[0].split()) == "NAME KEY KIND RATE CREATED LAST USED STATE ORIGINS"
    assert any(line.startswith("listed page") and line.endswith(SHOP) for line in table)
    assert any(line.startswith("listed server") and "600/min" in line for line in table)


def test_a_rotated_key_is_listed_with_the_end_of_its_old_secret(operator: Operator) -> None:
    old = operator.said("create", "--name", "turned")["secret"]
    rotated = operator.said("rotate", "turned", "--overlap", "2h")

    (key,) = [key for key in operator.said("list") if key["name"] == "turned"]
    table = operator.keys("list").stdout

    assert [secret["prefix"] for secret in key["secrets"]] == [rotated["secret"][:14], old[:14]]
    assert [secret["ends_at"] for secret in key["secrets"]] == [
        None,
        rotated["older_secrets_end_at"],
    ]
    assert re.search(rf"{re.escape(old[:14])}….*until 20\d\d-", table)


def test_ending_a_secret_now_leaves_it_out_of_the_table(operator: Operator) -> None:
    old = operator.said("create", "--name", "cut")["secret"]
    ended = operator.keys("rotate", "cut", "--overlap", "0")

    assert "Older ones ended." in ended.stdout
    assert old[:14] not in operator.keys("list").stdout


def test_a_dry_run_of_revoke_ends_nothing(operator: Operator) -> None:
    operator.said("create", "--name", "kept")

    would = operator.keys("revoke", "kept", "--dry-run")

    assert would.stdout.startswith("would revoke secret key 'kept' (sk_test_")
    assert operator.said("revoke", "kept")["revoked"]["revoked_at"]
    assert operator.keys("revoke", "kept").returncode == 1


def test_a_revoked_key_is_listed_and_its_name_is_free(operator: Operator) -> None:
    for _ in range(2):
        operator.said("create", "--name", "again")
        operator.said("revoke", "again")

    listed = [line for line in operator.keys("list").stdout.splitlines() if "again" in line]
    assert [("revoked 20" in line) for line in listed] == [True, True]


@pytest.mark.parametrize("command", ["rotate", "revoke"])
def test_an_unknown_name_is_a_failure_with_a_sentence(operator: Operator, command: str) -> None:
    ended = operator.keys(command, "nobody")

    assert ended.returncode == 1
    assert ended.stderr == "msty-invoice: no key in use is named nobody\n"


def test_a_taken_name_is_a_failure_with_a_sentence(operator: Operator) -> None:
    operator.said("create", "--name", "taken")
    ended = operator.keys("create", "--name", "taken")

    assert ended.returncode == 1
    assert ended.stderr == (
        "msty-invoice: there is a key named taken already; if you never saw its secret, revoke it"
        " and create it again\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create", "--name", "x", "--publishable"], "a publishable key needs --origin"),
        (["create", "--name", "x", "--origin", SHOP], "only a publishable key has one"),
        (
            ["create", "--name", "x", "--publishable", "--origin", SHOP, "--rate", "5"],
            "--rate is for secret keys",
        ),
        (
            ["create", "--name", "x", "--publishable", "--origin", "https://other.example"],
            "does not list https://other.example",
        ),
        (["create", "--name", "x", "--publishable", "--origin", f"{SHOP}/"], "without a path"),
        (["create", "--name", "x", "--rate", "0"], "a whole number from 1 to 100000"),
        (["create", "--name", " "], "1 to 100 printable characters"),
        (["rotate", "x", "--overlap", "24"], "must be like 90s, 30m, 24h or 7d"),
        (["rotate", "x", "--overlap", "91d"], "at most 90d"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    operator: Operator, arguments: list[str], sentence: str
) -> None:
    ended = operator.keys(*arguments)

    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert ended.stdout == ""


def test_without_a_list_of_origins_there_is_no_publishable_key(operator: Operator) -> None:
    Path(operator.settings["ORIGINS_FILE"]).unlink()
    ended = operator.keys("create", "--name", "x", "--publishable", "--origin", SHOP)

    assert ended.returncode == 2
    assert "origins cannot be read (No such file or directory)" in ended.stderr


def test_without_the_database_a_command_says_that_a_dependency_is_away(tmp_path: Path) -> None:
    away = Operator(
        {"DATABASE_URL": f"postgresql:///x?host={tmp_path}", "LIGHTNING_NETWORK": "regtest"}
    )

    assert away.keys("list").returncode == 75


@pytest.mark.parametrize("command", ["create", "list", "rotate", "revoke"])
def test_each_command_shows_an_example(operator: Operator, command: str) -> None:
    helped = operator.keys(command, "--help")

    assert helped.returncode == 0
    assert f"example:\n  msty-invoice keys {command}" in helped.stdout
