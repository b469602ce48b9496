"""Webhooks on their way: signed, and sent again until they are answered 2xx.

River's retry policy is not documented. This one starts at 0.2 s and doubles up to 5 s,
for ever; what is undelivered when the process ends is sent by the next one.
"""

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from msty_invoice.sandbox.faults import Faults
from msty_invoice.sandbox.ledger import Ledger
from msty_invoice.sandbox.records import Delivery
from msty_invoice.sandbox.signature import HEADER, SignatureForm

_REMEMBERED = 1000
_DEADLINE_SECONDS = 5
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0
_REORDER_WAIT_SECONDS = 1.0


@dataclass
class Attempts:
    """How a delivery goes. `status` is the last answer's, None while there was none."""

    delivery: Delivery
    count: int = 0
    status: int | None = None
    delivered: bool = False


class Outbox:
    """Sends what `announce` is told, with the webhook faults in force."""

    def __init__(
        self,
        ledger: Ledger,
        faults: Faults,
        form: SignatureForm,
        now_ms: Callable[[], int],
        session: aiohttp.ClientSession,
    ) -> None:
        self.recent: deque[Attempts] = deque(maxlen=_REMEMBERED)
        self.dropped = 0
        self._ledger = ledger
        self._faults = faults
        self._form = form
        self._now_ms = now_ms
        self._session = session
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: asyncio.Event | None = None

    def resume(self) -> None:
        """Send what an earlier process left undelivered."""
        for delivery in list(self._ledger.undelivered.values()):
            self._start(self._deliver(self._remember(delivery)))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def announce(self, kind: str, object_id: str, state: str, endpoint: str) -> None:
        """Tell the registered webhook, if any, what became of a deposit or withdrawal."""
        if self._ledger.webhook is None:
            return
        if self._faults.value("drop_webhooks", endpoint):
            self.dropped += 1
            return
        forge = bool(self._faults.value("forge_webhooks", endpoint))
        delay_s = (self._faults.value("delay_webhooks_ms", endpoint) or 0) / 1000
        reorder = bool(self._faults.value("reorder_webhooks", endpoint))
        for _ in range(1 + (self._faults.value("duplicate_webhooks", endpoint) or 0)):
            attempts = self._remember(self._ledger.add_delivery(kind, object_id, state))
            self._start(self._send_with(attempts, forge, delay_s, reorder))

    async def _send_with(
        self, attempts: Attempts, forge: bool, delay_s: float, reorder: bool
    ) -> None:
        await asyncio.sleep(delay_s)
        if forge:
            await self._post(attempts.delivery, os.urandom(32).hex())
        if reorder:
            await self._deliver_out_of_order(attempts)
        else:
            await self._deliver(attempts)

    async def _deliver_out_of_order(self, attempts: Attempts) -> None:
        """Every second one is sent first; one that stays alone goes after a second."""
        if self._held:
            follower, self._held = self._held, None
            await self._attempt(attempts)
            follower.set()
        else:
            self._held = turn = asyncio.Event()
            try:
                await asyncio.wait_for(turn.wait(), _REORDER_WAIT_SECONDS)
            except TimeoutError:
                if self._held is turn:
                    self._held = None
        await self._deliver(attempts)

    async def _deliver(self, attempts: Attempts) -> None:
        for pause in _pauses():
            if attempts.delivered or await self._attempt(attempts):
                return
            await asyncio.sleep(pause)

    async def _attempt(self, attempts: Attempts) -> bool:
        """Send once. True when nothing is left to do."""
        webhook = self._ledger.webhook
        if webhook:
            attempts.count += 1
            attempts.status = await self._post(attempts.delivery, webhook.secret)
            attempts.delivered = attempts.status is not None and 200 <= attempts.status < 300
        if attempts.delivered or not webhook:
            self._ledger.close_delivery(attempts.delivery.number)
            return True
        return False

    async def _post(self, delivery: Delivery, secret: str) -> int | None:
        """The status answered, or None if there was no answer."""
        webhook = self._ledger.webhook
        if webhook is None:
            return None
        payload = json.dumps(delivery.on_wire(), separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            HEADER: self._form.header(payload, secret, self._now_ms()),
        }
        try:
            async with self._session.post(
                webhook.url, data=payload, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None

    def _remember(self, delivery: Delivery) -> Attempts:
        attempts = Attempts(delivery)
        self.recent.append(attempts)
        return attempts

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def new_session() -> aiohttp.ClientSession:
    """What webhooks are sent with; to be closed by whoever opened it."""
    timeout = aiohttp.ClientTimeout(total=_DEADLINE_SECONDS)
    return aiohttp.ClientSession(timeout=timeout, trust_env=False)


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
