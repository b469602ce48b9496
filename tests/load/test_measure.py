"""One measurement, of a small server instead of ours."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.load.answering import Answering, answering, order_to
from tests.load.bench import procfs
from tests.load.bench.cases import Case
from tests.load.bench.measure import measure, wait_until_quiet
from tests.load.bench.servers import Server
from tests.load.bench.wrk import UnexpectedAnswer

pytestmark = pytest.mark.usefixtures("wrk")

_CASE = Case("msty", 2)


def _server(answers: Answering, recorded: Callable[[], int], workers: int) -> Server:
    return Server(order_to(answers), {"workers": workers}, recorded)


def test_a_sample_counts_what_was_made_and_what_it_cost(tmp_path: Path) -> None:
    with answering(201) as answers:
        server = _server(answers, lambda: sum(answers.addresses.values()), os.getpid())

        sample = measure(server, _CASE, 1, tmp_path / "log")

    assert sample.invoices_per_second > 0
    assert sample.p50_ms <= sample.p99_ms
    assert sample.cpu_us["workers"] > 0
    assert sample.cpu_us["wrk"] > 0
    assert "bench" not in sample.cpu_us


def test_nothing_is_left_unanswered_when_it_ends(tmp_path: Path) -> None:
    with answering(201) as answers:
        server = _server(answers, lambda: sum(answers.addresses.values()), os.getpid())

        measure(server, _CASE, 1, tmp_path / "log")

        assert procfs.unfinished(server.port) == 0


def test_an_answer_of_201_without_a_recorded_invoice_fails(tmp_path: Path) -> None:
    with (
        answering(201) as answers,
        pytest.raises(UnexpectedAnswer, match="but 0 invoices recorded"),
    ):
        measure(_server(answers, lambda: 0, os.getpid()), _CASE, 1, tmp_path / "log")


def test_workers_that_still_load_are_waited_for() -> None:
    busy = "import time, sys\nwhile time.process_time() < 0.5: pass\nsys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE) as loading:
        wait_until_quiet(loading.pid)

        assert procfs.cpu_seconds(loading.pid) >= 0.48  # counted in hundredths
        loading.communicate()
