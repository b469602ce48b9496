"""When bin/dev cannot start: one sentence that says what to do, exit 2, and nothing left."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from msty_invoice.dev.account import ordinary_account
from msty_invoice.dev.process import credentials
from tests.system.checkout import Checkout, RunningDev

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root: cannot mount or be another")


def _refusal(
    checkout: Checkout,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
    **options: Any,
) -> str:
    """The sentence with which bin/dev refuses to start."""
    command = [*before, str(checkout.folder / "bin/dev"), *(arguments or ("--port", "0"))]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=180, env=env, cwd="/", **options
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stdout + done.stderr
    assert checkout.processes() == set()
    return str(done.stderr)


def test_a_taken_port(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        sentence = _refusal(checkout, "--port", str(port))

    assert sentence == f"Port {port} is taken: choose another one, `bin/dev --port N`.\n"


def test_a_port_that_is_none(checkout: Checkout) -> None:
    done = subprocess.run(
        [checkout.folder / "bin/dev", "--port", "70000"], capture_output=True, text=True
    )

    assert done.returncode == 2
    assert "a port is a number from 0 to 65535" in done.stderr


def test_a_second_one_in_the_same_checkout(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()

        command = (checkout.folder / "bin/dev", "--port", "0")
        done = subprocess.run(command, capture_output=True, text=True)

        assert done.returncode == 2
        assert done.stderr == "bin/dev already runs in this checkout: end that one first.\n"
        assert dev.end(signal.SIGTERM) == 0


def test_no_venv_module(fresh: Checkout, tmp_path: Path) -> None:
    real = Path(sys.executable).resolve()
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec {real} "$@"\n')
    python.chmod(0o755)

    sentence = _refusal(fresh, env=_only(tmp_path))

    assert sentence == ("python3 has no venv module: run `apt install python3-venv` as root.\n")


def test_no_python(fresh: Checkout, tmp_path: Path) -> None:
    sentence = _refusal(fresh, env=_only(tmp_path))

    assert "apt install python3 python3-venv" in sentence


def _only(folder: Path) -> dict[str, str]:
    """A PATH with nothing but what a shell script needs, and what is in `folder`."""
    for name in ("dirname", "sh"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return {"PATH": str(folder)}


def test_no_network(fresh: Checkout) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}

    sentence = _refusal(fresh, env={**env, **nowhere, "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"})

    assert sentence.startswith("Python packages could not be fetched: look at the network")


@needs_root
def test_a_checkout_of_another_user(fresh: Checkout) -> None:
    env = {"PATH": "/usr/bin:/bin"}  # root's Python may be closed to others

    sentence = _refusal(fresh, env=env, **credentials(ordinary_account()))

    assert sentence.startswith(".dev cannot be written: it may belong to another user")


@needs_root
@pytest.mark.parametrize("megabytes", [10, 90], ids=["making-venv", "installing"])
def test_a_disk_that_is_full_before_it_is_installed(fresh: Checkout, megabytes: int) -> None:
    small = fresh.folder / ".venv"

    sentence = _refusal(fresh, before=_on_a_small_disk(small, megabytes))

    assert sentence.startswith("The disk is full (")


@needs_root
def test_a_disk_that_is_full_when_the_database_is_made(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()
    shutil.rmtree(checkout.servers / "postgres")

    sentence = _refusal(checkout, before=_on_a_small_disk(checkout.servers, 5))

    assert sentence.startswith("The disk is full (")


@needs_root
def test_a_disk_that_is_full_from_the_beginning(checkout: Checkout) -> None:
    sentence = _refusal(checkout, before=_on_a_small_disk(checkout.folder / ".dev", 0))

    assert sentence.startswith("The disk is full (")


def _on_a_small_disk(folder: Path, megabytes: int) -> list[str]:
    """Run what follows where `folder` is a disk of its own; it is gone afterwards."""
    folder.mkdir(exist_ok=True)
    # A size of 0 would mean no limit; one inode is the folder itself.
    size = f"size={megabytes}m" if megabytes else "nr_inodes=1"
    owner = folder.stat()
    mount = f"{size},mode=0700,uid={owner.st_uid},gid={owner.st_gid}"
    script = f'mount -t tmpfs -o {mount} tmpfs {folder} && exec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", script, "sh"]
