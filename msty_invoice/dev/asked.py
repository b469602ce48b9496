"""Being asked to end: Ctrl-C, SIGTERM, or a terminal that is gone."""

import signal
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Asked(BaseException):
    """Not an error: whoever started us wants us to end."""


def listen_to_signals() -> None:
    for number in _SIGNALS:
        if number is signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # nohup
        signal.signal(number, _asked)


def _asked(number: int, frame: FrameType | None) -> NoReturn:
    ignore_signals()
    raise Asked


def ignore_signals() -> None:
    """Once is enough: a second Ctrl-C must not leave half of it running."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
