"""bin/bench itself, with a load of a second: that it measures, and ends what it started."""

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.load.bench import procfs
from tests.load.bench.ground import ROOT

pytestmark = pytest.mark.usefixtures("wrk")

_SMALL = ("--rounds", "1", "--seconds", "1", "--only")


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.load.bench", *arguments]


def test_a_run_tells_what_it_measured(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"

    done = subprocess.run(
        _command(*_SMALL, "Idempotency-Key", "--json", str(file)),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (case,) = json.loads(file.read_text("utf-8"))["cases"]
    (measured,) = case["rounds"]
    assert measured["invoices_per_second"] > 0
    assert measured["worker_mib"] > 5
    assert set(measured["cpu_us"]) == {"workers", "PostgreSQL", "Valkey", "sandbox", "wrk"}
    assert "not measured" in done.stdout
    assert "FakeWallet" in done.stdout


def test_ctrl_c_leaves_nothing() -> None:
    with subprocess.Popen(
        _command(*_SMALL, "bare Falcon"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as bench:
        assert bench.stdout is not None
        _wait_for_line(bench, "PostgreSQL commits")
        started = procfs.tree(bench.pid)[1:]
        home = _home(started)

        bench.send_signal(signal.SIGINT)
        bench.communicate()

    assert bench.returncode == 130
    assert len(started) > 2
    assert not home.exists()
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def test_a_name_that_no_row_has_is_refused() -> None:
    done = subprocess.run(
        _command("--only", "no such row"), cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 2
    assert "no such row" in done.stderr


def _wait_for_line(bench: "subprocess.Popen[str]", start: str) -> None:
    assert bench.stdout is not None
    assert any(line.startswith(start) for line in bench.stdout)


def _home(pids: list[int]) -> Path:
    """The run's folder: PostgreSQL works in a folder of it."""
    for pid in pids:
        with contextlib.suppress(OSError):
            cwd = Path(f"/proc/{pid}/cwd").readlink()
            found = [each for each in (cwd, *cwd.parents) if each.name.startswith("msty-bench-")]
            if found:
                return found[0]
    raise AssertionError("no process works in a folder of the run")
