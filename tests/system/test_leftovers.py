"""What a killed bin/dev leaves: ended if it is ours, and never anything else."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from msty_invoice.dev.leftovers import end_leftovers, remember
from msty_invoice.dev.postgres import PostgresServer, unlock
from msty_invoice.dev.process import Process

_STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(600)"


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    process = Process("a sleeper", tmp_path / "log")
    process.start(["sleep", "600"], {"PATH": "/usr/bin:/bin"}, tmp_path)
    yield process
    process.stop(signal.SIGKILL)


def test_what_was_noted_and_still_runs_is_ended(sleeper: Process, tmp_path: Path) -> None:
    remember(tmp_path / "pids", [sleeper])

    assert end_leftovers(tmp_path / "pids") == 1
    assert not sleeper.running
    assert not (tmp_path / "pids").exists()


def test_a_number_that_another_program_has_by_now_is_left_alone(
    sleeper: Process, tmp_path: Path
) -> None:
    remember(tmp_path / "pids", [sleeper])
    noted = json.loads((tmp_path / "pids").read_text("utf-8"))
    earlier = {pid: started - 1 for pid, started in noted.items()}
    (tmp_path / "pids").write_text(json.dumps(earlier), "utf-8")

    assert end_leftovers(tmp_path / "pids") == 0
    assert sleeper.running


def test_what_has_ended_is_no_leftover(sleeper: Process, tmp_path: Path) -> None:
    remember(tmp_path / "pids", [sleeper])
    sleeper.send(signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # a zombie until it is waited for

    assert end_leftovers(tmp_path / "pids") == 0


@pytest.mark.parametrize("text", ["", "{", '{"1": null}'])
def test_a_damaged_note_ends_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "pids").write_text(text, "utf-8")

    assert end_leftovers(tmp_path / "pids") == 0


def test_a_program_that_ignores_sigterm_is_stopped_all_the_same(tmp_path: Path) -> None:
    process = Process("a stubborn one", tmp_path / "log")
    process.start([sys.executable, "-uc", _STUBBORN], {}, tmp_path)
    process.wait_until(lambda: bool(process.log.read_text()), 10)

    process.stop(seconds=0.1)

    assert not process.running


def test_a_paused_program_can_be_stopped(sleeper: Process) -> None:
    sleeper.send(signal.SIGSTOP)

    sleeper.stop()

    assert sleeper._popen is not None
    assert sleeper._popen.returncode == -signal.SIGTERM


def test_a_child_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())

    parent.kill()

    # The child holds the other end of this pipe, so it closes when both are gone.
    assert select.select([parent.stdout], [], [], 30)[0]
    assert parent.stdout.read() == ""
    parent.wait()
    parent.stdout.close()
    assert not Path(f"/proc/{child}/fd/0").exists()


_PARENT = """
import sys, time
from pathlib import Path
from msty_invoice.dev.process import Process
folder = Path(sys.argv[1])
child = Process("a child", folder / "log")
child.start(["sleep", "600"], {"PATH": "/usr/bin:/bin"}, folder, stdout=sys.stdout.fileno())
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_lock_whose_number_another_program_has_is_removed(
    sleeper: Process, tmp_path: Path
) -> None:
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{sleeper.pid}\n/elsewhere\n", "ascii")

    unlock(lock, tmp_path / "data")

    assert not lock.exists()


def test_the_lock_of_a_running_server_is_kept(postgres_server: PostgresServer) -> None:
    data = postgres_server.home / "data"

    unlock(data / "postmaster.pid", data)

    assert (data / "postmaster.pid").exists()
