"""The resident worker that follows every hint at once: stored events, and readers who wait."""

import logging
from collections.abc import Callable

from msty_invoice.domain.errors import ProviderError, StorageUnavailable
from msty_invoice.service.settlement_ports import Listener
from msty_invoice.service.settling import Settling
from msty_invoice.service.webhooks import EventWork

logger = logging.getLogger(__name__)

_TICK_SECONDS = 1.0  # an event due again is found at the next tick


class Settler:
    """One process per machine; any number may run. `looking` asks with a short deadline."""

    def __init__(
        self,
        listener: Listener,
        events: EventWork,
        settling: Settling,
        looking: Settling,
        pause: Callable[[float], None],
    ) -> None:
        self._listener = listener
        self._events = events
        self._settling = settling
        self._looking = looking
        self._pause = pause
        self._wanted: dict[str, None] = {}  # payment hashes to look for, each once, in order

    def run(self, stopped: Callable[[], bool]) -> None:
        """Work until `stopped`. A database that is away is waited for."""
        busy = False
        while not stopped():
            try:
                busy = self.run_once(0 if busy else _TICK_SECONDS)
            except StorageUnavailable as exc:
                logger.warning("the database is away: %s", exc)
                self._pause(_TICK_SECONDS)

    def run_once(self, wait_seconds: float) -> bool:
        """Wait for a hint, or for `wait_seconds`; then take a few events, and look once.

        Only a few, so that a backlog at a provider that hangs keeps neither readers waiting
        nor us from stopping; and events first, as the provider told us of those itself.
        True: there may be more.
        """
        for notice in self._listener.wait(wait_seconds):
            if notice.startswith("look:"):
                self._wanted[notice.removeprefix("look:")] = None
        busy = self._events.run() > 0
        if self._wanted:
            self._look_for_next()
        self._settling.ask_open()
        return busy or bool(self._wanted)

    def _look_for_next(self) -> None:
        payment_hash = next(iter(self._wanted))
        del self._wanted[payment_hash]
        try:
            self._looking.look(payment_hash)
        except ProviderError as exc:
            # The walk will find what this look did not.
            logger.info("no look: %s", exc)
        except StorageUnavailable:
            raise
        except Exception:
            logger.exception("a look")
