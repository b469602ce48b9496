"""Failing on purpose, where and when it was asked for."""

import logging
import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence

from msty_invoice.failpoints.plan import Action, Failpoint, Side

logger = logging.getLogger(__name__)


class Failpoints:
    """Those of one process. `cuts` are how its connections to the database are cut."""

    def __init__(self, armed: Sequence[Failpoint]) -> None:
        self._armed = armed
        self._reached: Counter[tuple[Side, str]] = Counter()
        self.cuts: list[Callable[[], None]] = []

    def before(self, name: str) -> None:
        self._reach(Side.BEFORE, name)

    def after(self, name: str) -> bool:
        """True: the answer is to be lost."""
        return self._reach(Side.AFTER, name) is Action.LOSE

    def _reach(self, side: Side, name: str) -> Action | None:
        self._reached[side, name] += 1
        for it in self._armed:
            if (it.side, it.name, it.nth) == (side, name, self._reached[side, name]):
                logger.warning("failpoint %s:%s: %s", side, name, it.action)
                self._act(it.action)
                return it.action
        return None

    def _act(self, action: Action) -> None:
        if action is Action.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        elif action is Action.TERM:
            os.kill(os.getpid(), signal.SIGTERM)
        elif action is Action.CUT:
            for cut in self.cuts:
                cut()
