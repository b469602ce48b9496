"""The locks install, from wheels and with hashes, on every Python that we support.

What is proved, for each of 3.11, 3.12 and 3.13: that pip finds a wheel with a known hash for
everything that the largest lock names, and that each lock by itself leaves nothing open.
pip's own `--python-version` is not enough for that: it reads markers such as
`python_full_version < '3.11.3'` for the Python that runs it. So a real interpreter is used
where the machine has one. Where it has none, markers are read here, and only the first half
is proved. 3.11.2 is Debian 12's, and has a marker of its own.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import Marker

from tests.system.checkout import ROOT

# Kept between runs; pip checks the hash of each file that it finds here.
_WHEELS = Path("/var/tmp/msty-invoice-wheels")
_STRICT = ["--require-hashes", "--only-binary", ":all:", "--disable-pip-version-check", "-q"]
_NAME = re.compile(r"^([a-z0-9-]+)==([^ ]+)( ; (.+?))? \\$", re.MULTILINE)


def _lock(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def _interpreters() -> Iterator[Path]:
    """Every Python here: on the PATH, Debian's own, and those of pyenv."""
    names = ("python3", "python3.11", "python3.12", "python3.13")
    for folder in (*os.get_exec_path(), "/usr/bin"):
        yield from (Path(folder, name) for name in names)
    yield from Path.home().glob(".pyenv/versions/3.1*/bin/python")


def _version(python: Path) -> str:
    if not os.access(python, os.X_OK):
        return ""
    ask = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-c", ask], capture_output=True, text=True).stdout.strip()


def _interpreter(version: str) -> Path | None:
    """One that is `version`, or starts with it."""
    found = (
        python for python in _interpreters() if f"{_version(python)}.".startswith(f"{version}.")
    )
    return next(found, None)


def _pip(python: Path, *arguments: str | Path) -> None:
    done = subprocess.run([python, "-m", "pip", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("version", ["3.11.2", "3.12", "3.13"])
def test_every_lock_is_complete_and_made_of_wheels(version: str, tmp_path: Path) -> None:
    wheels = _WHEELS / version
    python = _interpreter(version)
    if python is None:
        _fetch_for_another(version, wheels, tmp_path)
        return

    _pip(python, "download", *_STRICT, "--dest", wheels, "-r", _lock("test"))
    # --target, because Debian's own Python refuses to install, even in a dry run.
    here = ("--no-index", "--find-links", wheels, "--target", tmp_path)
    for name in ("app", "dev", "test"):
        _pip(
            python, "install", "--dry-run", "--ignore-installed", *_STRICT, *here, "-r", _lock(name)
        )


def _fetch_for_another(version: str, wheels: Path, tmp_path: Path) -> None:
    """Find a wheel for each line whose marker holds for a Python that is not here."""
    full = version if version.count(".") == 2 else f"{version}.0"
    minor = ".".join(full.split(".")[:2])
    target = {"python_full_version": full, "python_version": minor}
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("".join(_lines_for(target)), "utf-8")
    target_options = ("--no-deps", "--python-version", full)
    _pip(
        Path(sys.executable), "download", *_STRICT, *target_options, "--dest", wheels, "-r", wanted
    )


def _lines_for(target: dict[str, str]) -> Iterator[str]:
    for entry in re.split(r"^(?=[a-z])", _lock("test").read_text("utf-8"), flags=re.MULTILINE):
        match = _NAME.match(entry)
        if match and (match[4] is None or Marker(match[4]).evaluate(target)):
            yield entry.replace(match[3] or "", "", 1)


@pytest.mark.parametrize(("smaller", "larger"), [("app", "dev"), ("dev", "test")])
def test_a_larger_lock_holds_the_smaller_one_exactly(smaller: str, larger: str) -> None:
    # bin/install counts on it: installing the larger brings the smaller.
    assert _pins(smaller)
    assert _pins(smaller) <= _pins(larger)


def _pins(lock: str) -> set[tuple[str, str]]:
    return {(name, version) for name, version, *_ in _NAME.findall(_lock(lock).read_text("utf-8"))}


def test_nothing_but_wheels_of_the_index_is_named() -> None:
    for name in ("app", "dev", "test"):
        text = _lock(name).read_text("utf-8")
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")
