"""`python -m tests.load.bench`, which bin/bench runs."""

import argparse
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

from msty_invoice.dev.asked import Asked, ignore_signals, listen_to_signals
from msty_invoice.dev.process import ProgramFailed
from msty_invoice.dev.progress import say, step
from msty_invoice.dev.refusal import Refused
from tests.load.bench import report
from tests.load.bench.cases import Case, chosen
from tests.load.bench.ground import Ground, private_ground
from tests.load.bench.lnbits import Lnbits
from tests.load.bench.measure import Sample, measure
from tests.load.bench.servers import ceiling, service
from tests.load.bench.wrk import UnexpectedAnswer, ensure_wrk

# What a measurement takes besides its own seconds: starting, warming up, ending.
_AROUND_SECONDS = 5


def main(arguments: list[str]) -> int:
    """0 when measured, 1 when something failed meanwhile, 2 when something must be done first."""
    options = parser().parse_args(arguments)
    listen_to_signals()
    try:
        return _run(options)
    except Asked:
        ignore_signals()
        say("\nended; nothing is left running")
        return 130
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 2
    except (UnexpectedAnswer, ProgramFailed) as failed:
        print(f"\nbin/bench: {failed}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """bin/bench explains them."""
    parser = argparse.ArgumentParser(prog="bin/bench", add_help=False)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--peer", choices=["lnbits"])
    parser.add_argument("--only", default="", type=_pattern, metavar="PATTERN")
    parser.add_argument("--rounds", type=_count, default=3, metavar="N")
    parser.add_argument("--seconds", type=_count, default=5, metavar="S")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


def _count(value: str) -> int:
    if not value.isdigit() or not int(value):
        raise argparse.ArgumentTypeError("a whole number, at least 1")
    return int(value)


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as exc:
        raise argparse.ArgumentTypeError(f"not a pattern: {exc}") from exc
    return value


def _run(options: argparse.Namespace) -> int:
    cases = chosen(full=options.full, peer=options.peer is not None, only=options.only)
    if not cases:
        raise Refused(f"no row's name matches {options.only!r}: bin/bench --help")
    ensure_wrk()
    minutes = len(cases) * options.rounds * (options.seconds + _AROUND_SECONDS) / 60
    say(f"{len(cases)} rows, {options.rounds} rounds: about {minutes:.0f} min")
    samples: dict[Case, list[Sample]] = {case: [] for case in cases}
    about: dict[str, Any] = {"rounds": options.rounds, "seconds": options.seconds}
    with private_ground() as ground:
        say("PostgreSQL commits durably, Valkey and the schema stand")
        bench = Bench(ground)
        if options.peer:
            about["peer"] = bench.add_peer()
        bench.run(samples, options.rounds, options.seconds)
    _show(samples, about, options.json)
    return 0


class Bench:
    """Measures one case after another on the same ground."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._servers = {"msty": service, "falcon": ceiling}

    def add_peer(self) -> str:
        """Install LNbits, if it is not, and let it make its tables. Returns what it is."""
        with step("LNbits"):
            lnbits = Lnbits(self._ground)
            lnbits.prepare()
        self._servers["lnbits"] = lnbits.serve
        return lnbits.description

    def run(self, samples: dict[Case, list[Sample]], rounds: int, seconds: int) -> None:
        """Every case once in each round, every other round backwards: so drift hits all alike."""
        for number in range(1, rounds + 1):
            for case in list(samples)[:: 1 if number % 2 else -1]:
                say(f"round {number} of {rounds}: {case.name:<42}", end="")
                with self._servers[case.server](self._ground, case) as server:
                    sample = measure(server, case, seconds, self._ground.log("wrk"))
                say(f"{sample.invoices_per_second:8.0f}/s")
                samples[case].append(sample)
                _ensure_nobody_asked()


def _ensure_nobody_asked() -> None:
    """Raise `Asked` if it was raised already where Python drops errors: while it forks."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        raise Asked


def _show(samples: dict[Case, list[Sample]], about: dict[str, Any], file: Path | None) -> None:
    say(f"\n{report.table(samples)}\n\ngoals, as medians of the rounds' ratios:")
    say(f"{report.verdicts(samples)}\n\n{report.CAVEAT}")
    if file:
        file.write_text(json.dumps(report.as_json(samples, about), indent=1) + "\n", "utf-8")
        say(f"\nevery measurement is in {file}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
