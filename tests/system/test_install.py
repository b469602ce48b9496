"""What makes .venv: only what is missing, and never half. With small locks, to be quick."""

import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.system.checkout import ROOT, Checkout, RunningDev

_SMALL = {"dev": ["iniconfig"], "test": ["iniconfig", "pluggy"]}


@pytest.fixture
def small(fresh: Checkout) -> Checkout:
    """A fresh clone whose locks name very little."""
    full = (ROOT / "requirements/test.txt").read_text("utf-8")
    entries = {
        entry.split("==")[0]: entry for entry in re.split(r"^(?=[a-z])", full, flags=re.MULTILINE)
    }
    for lock, names in _SMALL.items():
        text = "".join(entries[name] for name in names)
        (fresh.folder / f"requirements/{lock}.txt").write_text(text, "utf-8")
    return fresh


def _install(folder: Path, *arguments: str) -> str:
    """What bin/install printed: a line for each thing it did."""
    command = [str(folder / "bin/install"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout


def test_neither_lock_undoes_the_other_and_nothing_is_installed_twice(small: Checkout) -> None:
    assert "installing requirements/test.txt" in _install(small.folder, "test")

    assert _install(small.folder, "dev") == ""
    assert _install(small.folder, "test") == ""

    _append_to(small.folder / "requirements/dev.txt")
    assert "installing requirements/dev.txt" in _install(small.folder, "dev")
    assert _install(small.folder, "test", "-c", "import pluggy") == ""


def _append_to(lock: Path) -> None:
    with lock.open("a", encoding="utf-8") as file:
        file.write("# changed\n")


def test_a_checkout_that_was_moved_is_installed_again(small: Checkout) -> None:
    _install(small.folder, "dev")
    elsewhere = small.folder.parent / "elsewhere"
    small.folder.rename(elsewhere)

    where = _install(elsewhere, "dev", "-c", "import msty_invoice as m; print(m.__file__)")

    assert where.endswith(f"{elsewhere}/msty_invoice/__init__.py\n")
    elsewhere.rename(small.folder)


def test_a_venv_whose_python_is_gone_is_made_again(small: Checkout) -> None:
    _install(small.folder, "dev")
    (small.folder / ".venv/bin/python").unlink()

    assert "making .venv" in _install(small.folder, "dev")


def test_being_ended_while_installing_leaves_nothing_and_the_next_start_works(
    small: Checkout,
) -> None:
    with RunningDev(small) as dev:
        dev.wait_line("making .venv")
        dev.end(signal.SIGTERM)

        assert small.processes() == set()

    assert "installing" in _install(small.folder, "dev", "-c", "import iniconfig")


def test_a_link_in_place_of_the_venv_is_not_followed(small: Checkout, tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    (small.folder / ".venv").symlink_to(tmp_path)

    command = (small.folder / "bin/install", "dev")
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")

    assert done.returncode == 2
    assert ".venv is a symbolic link" in done.stderr
    assert (tmp_path / "precious").exists()


def test_help_needs_nothing_installed(small: Checkout) -> None:
    command = (small.folder / "bin/dev", "--help")
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")

    assert "bin/dev [--port N]" in done.stdout
    assert not (small.folder / ".venv").exists()
