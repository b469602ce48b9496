"""bin/dev from its first line to its last, in a copy of this checkout."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from msty_invoice.dev.envfile import read_env
from tests.system.checkout import Checkout, RunningDev


def _get(url: str, path: str, key: str) -> bytes:
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().read()


def _wait_until_settled(url: str, path: str, key: str) -> None:
    deadline = time.monotonic() + 30
    while (status := json.loads(_get(url, path, key))["status"]) != "settled":
        assert time.monotonic() < deadline, f"still {status}"
        time.sleep(0.05)


def _get_status(url: str, path: str, key: str) -> int:
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().status


def _paste(dev: RunningDev) -> tuple[dict[str, str], dict[str, str]]:
    """Run the printed example in a plain shell. Returns the first two answers."""
    env = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["sh", "-euc", dev.pasted()], capture_output=True, text=True, check=True, env=env
    )
    decoder = json.JSONDecoder()
    invoice, end = decoder.raw_decode(done.stdout)
    paid, _ = decoder.raw_decode(done.stdout[end:].lstrip())
    return invoice, paid


def _wait_until_nothing_runs(checkout: Checkout) -> None:
    deadline = time.monotonic() + 30
    while left := checkout.processes():
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.05)


def test_the_pasted_example_gets_an_invoice_and_pays_it(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()

        invoice, paid = _paste(dev)

    assert invoice["paymentRequest"].startswith("lnbcrt21u1")
    assert len(paid["preimage"]) == 64


def test_what_is_paid_reads_as_settled(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()
        invoice, _ = _paste(dev)

        env = checkout.client_env
        path = f"/api/lightning/invoices/{invoice['paymentHash']}"
        _wait_until_settled(env["MSTY_URL"], path, env["MSTY_SECRET_KEY"])


def test_the_webhook_follows_the_service_to_another_port(checkout: Checkout) -> None:
    for _ in range(2):
        with RunningDev(checkout) as dev:
            dev.wait_ready()
            env = checkout.client_env
            hook = json.loads(_get(env["MSTY_SANDBOX_URL"], "/_sandbox/state", ""))["webhook"]

            assert hook["url"] == f"{env['MSTY_URL']}/api/lightning/webhooks/river"


def test_a_later_start_knows_the_key_and_the_invoices_of_the_first(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()
        first = checkout.client_env
        invoice, _ = _paste(dev)

    with RunningDev(checkout) as dev:
        print(f"ready again after {dev.wait_ready():.1f} s")
        now = checkout.client_env
        path = f"/api/lightning/invoices/{invoice['paymentHash']}"

        assert now["MSTY_SECRET_KEY"] == first["MSTY_SECRET_KEY"]
        assert _get_status(now["MSTY_URL"], path, now["MSTY_SECRET_KEY"]) == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_order(checkout: Checkout, number: signal.Signals) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()

        assert dev.end(number) == 0

    assert checkout.processes() == set()
    log = (checkout.folder / ".dev/log/postgresql.log").read_text("utf-8")
    assert "database system is shut down" in log


def test_a_signal_while_it_starts_leaves_nothing(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_line("Valkey")

        assert dev.end(signal.SIGTERM) == 0

    assert checkout.processes() == set()


def test_kill_9_is_repaired_by_the_next_start(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()
        key = checkout.client_env["MSTY_SECRET_KEY"]

        dev.end(signal.SIGKILL)
        with RunningDev(checkout) as again:  # at once: the servers are still ending
            again.wait_ready()
            assert checkout.client_env["MSTY_SECRET_KEY"] == key
            assert _paste(again)[0]["paymentHash"]

    assert checkout.processes() == set()


def test_after_kill_9_nothing_goes_on_alone(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()

        dev.end(signal.SIGKILL)

    _wait_until_nothing_runs(checkout)


def test_a_part_that_dies_is_named_and_ends_the_rest(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()
        pids = json.loads((checkout.folder / ".dev/pids.json").read_text("utf-8"))
        valkey = next(p for p in pids if "valkey" in Path(f"/proc/{p}/cmdline").read_text())
        os.kill(int(valkey), signal.SIGKILL)

        assert dev.end() == 1

    assert "Valkey ended by itself" in dev.text
    assert checkout.processes() == set()


def test_a_lost_database_gets_a_new_key(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()
        lost = checkout.client_env["MSTY_SECRET_KEY"]
    shutil.rmtree(checkout.servers / "postgres")

    with RunningDev(checkout) as dev:
        dev.wait_ready()

        assert checkout.client_env["MSTY_SECRET_KEY"] != lost
        assert _paste(dev)[0]["paymentHash"]


def test_a_lost_key_file_gets_a_new_key(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()
    (checkout.folder / ".dev/client.env").unlink()

    with RunningDev(checkout) as dev:
        dev.wait_ready()

        assert _paste(dev)[0]["paymentHash"]


def test_what_holds_secrets_is_private(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()

        dev_folder = checkout.folder / ".dev"
        assert dev_folder.stat().st_mode & 0o777 == 0o700
        assert checkout.servers.stat().st_mode & 0o777 == 0o700
        assert {f.stat().st_mode & 0o777 for f in dev_folder.glob("*.env")} == {0o600}


def test_the_command_line_speaks_to_the_running_service(checkout: Checkout) -> None:
    with RunningDev(checkout) as dev:
        dev.wait_ready()
        bare = {"PATH": os.environ["PATH"]}
        service = read_env(checkout.folder / ".dev/server.env")

        assert '"dev' in _keys_list(checkout, "bin", bare)
        assert '"dev' in _keys_list(checkout, "bin", bare | checkout.client_env)
        assert '"dev' in _keys_list(checkout, ".venv/bin", bare | service)


def _keys_list(checkout: Checkout, folder: str, env: dict[str, str]) -> str:
    command = [str(checkout.folder / folder / "msty-invoice"), "keys", "list", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env, cwd="/")
    return done.stdout
