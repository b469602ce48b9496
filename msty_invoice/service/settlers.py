"""Settlers side by side: one for each provider that may still have invoices of ours."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from msty_invoice.service.settler import Settler


class Settlers:
    """Each with connections of its own, so that none waits while another's provider hangs."""

    def __init__(self, settlers: Sequence[Settler]) -> None:
        self._settlers = settlers

    def run(self, stopped: Callable[[], bool]) -> None:
        """Work until `stopped`. What breaks one of them ends all, and is raised."""
        if len(self._settlers) == 1:
            self._settlers[0].run(stopped)
            return
        broken: list[bool] = []
        with ThreadPoolExecutor(len(self._settlers)) as pool:
            running = [
                pool.submit(settler.run, lambda: stopped() or bool(broken))
                for settler in self._settlers
            ]
            wait(running, return_when=FIRST_EXCEPTION)
            broken.append(True)
        for settler in running:
            settler.result()
