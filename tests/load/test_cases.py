"""Which rows a run has, and that its help names every option."""

import subprocess
from itertools import product

from tests.load.bench.__main__ import parser
from tests.load.bench.cases import Case, chosen
from tests.load.bench.goals import goals
from tests.load.bench.ground import ROOT
from tests.load.conftest import sample


def test_the_default_with_the_peer_measures_every_goal() -> None:
    samples = {case: [sample()] for case in chosen(full=False, peer=True, only="")}

    assert all(goal.met is not None for goal in goals(samples))


def test_full_measures_every_pair_of_workers_and_latency() -> None:
    cases = chosen(full=True, peer=False, only="")

    assert {Case("msty", w, ms) for w, ms in product((2, 5, 9, 17), (0, 50, 200))} <= {*cases}
    assert {Case("falcon", w) for w in (2, 5, 9, 17)} <= {*cases}
    assert len({case.name for case in cases}) == len(cases)


def test_only_chooses_by_name() -> None:
    assert chosen(full=False, peer=False, only="Falcon|5 workers, 0 ms$") == [
        Case("falcon", 5),
        Case("msty", 5),
    ]
    assert chosen(full=True, peer=True, only="as shipped") == [Case("lnbits", 1)]


def test_no_worker_waits_for_a_client() -> None:
    assert all(
        case.connections >= 2 * case.workers for case in chosen(full=True, peer=True, only="")
    )


def test_the_help_names_every_option() -> None:
    done = subprocess.run(
        [ROOT / "bin/bench", "--help"], capture_output=True, text=True, check=True
    )

    options = {flag for action in parser()._actions for flag in action.option_strings}
    assert options
    assert not {option for option in options if f"\n    {option} " not in done.stdout}
    assert done.stdout.startswith("Measures how many invoices")
