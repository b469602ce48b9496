"""Files of settings: what Python writes, any shell reads."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msty_invoice.dev.envfile import read_env, write_env

# What an environment variable can hold at all.
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(value=VALUES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_was_written_is_read_again(tmp_path: Path, value: str) -> None:
    write_env(tmp_path / "it.env", {"NAME": value})

    assert read_env(tmp_path / "it.env") == {"NAME": value}


@pytest.mark.parametrize("value", ["it's", "$(id) `id` $HOME \\", "two\nlines", "", "a=b c"])
def test_a_shell_reads_exactly_that(tmp_path: Path, value: str) -> None:
    write_env(tmp_path / "it.env", {"NAME": value})

    script = f". {tmp_path}/it.env; sh -c 'printf %s \"$NAME\"'"
    assert subprocess.check_output(["sh", "-euc", script], text=True) == value


def test_nobody_else_can_read_it_and_no_half_is_left(tmp_path: Path) -> None:
    write_env(tmp_path / "it.env", {"NAME": "a secret"})

    assert (tmp_path / "it.env").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["it.env"]


def test_no_file_is_no_settings(tmp_path: Path) -> None:
    assert read_env(tmp_path / "none.env") == {}
