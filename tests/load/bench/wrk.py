"""wrk, the load generator of Debian: getting it, running it, reading what it found."""

import os
import resource
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from msty_invoice.dev.process import Process, ProgramFailed
from msty_invoice.dev.refusal import Refused

_SCRIPT = Path(__file__).with_name("order.lua")
_THREADS = 2
# Longer than any answer takes, so that one that never comes is counted and not waited for.
_TIMEOUT_SECONDS = 15
_MISSING = "wrk is missing: run `apt install wrk` as root (Debian), or put it on the PATH."


class UnexpectedAnswer(Exception):
    """Something other than 201 came, or nothing. Says what, and how often."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is sent: a JSON body, and the header that says who asks."""

    url: str
    key_header: str
    key: str
    body: str
    with_idempotency_key: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: answers of 201, and how long they took. `cpu_seconds` is wrk's own."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_seconds: float


def ensure_wrk() -> None:
    """Install it if we may. Raises `Refused`."""
    if shutil.which("wrk"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Refused(_MISSING)
    command = ["apt-get", "install", "--yes", "--no-install-recommends", "wrk"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0 or not shutil.which("wrk"):
        raise Refused(f"{_MISSING} `{' '.join(command)}` failed:\n{done.stderr.strip()}")


def run_wrk(order: Order, connections: int, seconds: int, log: Path) -> Load:
    """Ask for that long, without a pause. Raises `UnexpectedAnswer`, `ProgramFailed`."""
    command = ["wrk", f"-t{_THREADS}", f"-c{connections}", f"-d{seconds}s"]
    command += ["--timeout", f"{_TIMEOUT_SECONDS}s", "-s", str(_SCRIPT), order.url]
    process = Process("wrk", log)
    before = _children_cpu_seconds()
    popen = process.start(command, _environment(order), log.parent, stdout=subprocess.PIPE)
    try:
        assert popen.stdout is not None
        with popen.stdout as stdout:
            output = stdout.read().decode()
        popen.wait()
    finally:
        process.stop()
    if popen.returncode != 0:
        raise ProgramFailed("wrk", f"ended with exit code {popen.returncode}", log)
    return read_output(output, _children_cpu_seconds() - before)


def read_output(output: str, cpu_seconds: float = 0.0) -> Load:
    """What order.lua printed. Raises `UnexpectedAnswer`."""
    found = dict(line.split(" ", 1) for line in output.splitlines() if " " in line)
    if refused := int(found["refused"]):
        of_all = f"{refused} of {found['requests']} answers were not 201; the first"
        raise UnexpectedAnswer(f"{of_all}: {found['first']}")
    if broken := int(found["broken"]):
        raise UnexpectedAnswer(f"{broken} requests got no answer: cut off, or too late")
    return Load(
        requests=int(found["requests"]),
        seconds=float(found["duration_us"]) / 1e6,
        p50_ms=float(found["p50_us"]) / 1e3,
        p99_ms=float(found["p99_us"]) / 1e3,
        cpu_seconds=cpu_seconds,
    )


def _environment(order: Order) -> Mapping[str, str]:
    """Not in the arguments, which every user of the machine can read."""
    environment = {
        "PATH": os.environ["PATH"],
        "BENCH_KEY_HEADER": order.key_header,
        "BENCH_KEY": order.key,
        "BENCH_BODY": order.body,
    }
    if order.with_idempotency_key:
        # Another one each time: a key of an earlier load would only be looked up.
        environment["BENCH_IDEMPOTENCY_PREFIX"] = f"bench-{uuid4()}"
    return environment


def _children_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
