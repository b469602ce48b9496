"""A newcomer's first minutes, on a machine that has Python and nothing else."""

import os
import re
import shutil
from collections.abc import Iterator

import pytest

from tests.system.bare_machine import NEWCOMER, BareMachine, bare_machine

pytestmark = [
    pytest.mark.machine,
    pytest.mark.skipif(os.geteuid() != 0, reason="not root: cannot enter a bare machine"),
    pytest.mark.skipif(
        shutil.which("debootstrap", path="/usr/sbin:/usr/bin") is None,
        reason="no debootstrap to make a bare machine with (apt install debootstrap)",
    ),
]

# From the README: start, paste, Ctrl-C. Twice, because the second time is the usual one.
_FIRST_MINUTES = r"""
start() {
    bin/dev --port 0 >out 2>&1 &
    dev=$!
    began=$(date +%s)
    until grep -q '^Ctrl-C ends' out; do
        kill -0 "$dev" || { cat out; exit 1; }
        sleep 0.2
    done
    echo "$1 after $(($(date +%s) - began)) s"
}
end() {
    kill -TERM "$dev"
    wait "$dev"
    echo "exit code $?"
    for each in /proc/[0-9]*/cmdline; do
        echo "running: $(tr '\0' ' ' <"$each")"
    done
}
start 'first ready'
sed -n 's/^    //p' out >example
. ./example
end
start 'then ready'
end
cat out
"""


@pytest.fixture(scope="module", params=["root", NEWCOMER])
def machine(request: pytest.FixtureRequest) -> Iterator[BareMachine]:
    with bare_machine(request.param) as made:
        yield made


def test_one_command_runs_the_service_and_the_pasted_example_works(machine: BareMachine) -> None:
    accounts = (machine.tree / "etc/passwd").read_text()

    done = machine.run(_FIRST_MINUTES)

    print(done.stdout)
    assert done.returncode == 0
    assert re.search(r'"paymentRequest": *"lnbcrt21u1', done.stdout)
    assert re.search(r'"preimage": *"[0-9a-f]{64}"', done.stdout)
    assert done.stdout.count("exit code 0") == 2
    running = "\n".join(re.findall("^running: .*", done.stdout, re.MULTILINE))
    assert not re.search(r"postgres|valkey|gunicorn|msty_invoice", running), running
    assert (machine.tree / "etc/passwd").read_text() == accounts


def test_the_tests_run_and_say_what_they_left_out(machine: BareMachine) -> None:
    # Enough to need all that bin/test makes; the rest runs outside, on the same code. Being
    # root changes how the servers run, and nothing else.
    folders = "tests/storage/test_invoices.py tests/storage/test_keys.py tests/storage/limiter"
    if machine.user != "root":
        folders += " tests/unit tests/web"

    done = machine.run(f"bin/test {folders}")

    print(done.stdout[-5000:])
    assert done.returncode == 0
    assert "NOT RUN" in done.stdout
    assert "PostgreSQL 15 is not in" in done.stdout
