"""GET /livez and GET /readyz"""

import json
import logging
from collections.abc import Callable, Mapping

import falcon

logger = logging.getLogger(__name__)


class Livez:
    """Alive: this worker answers. Touches nothing else."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.text = '{"alive": true}'


class Readyz:
    """Ready: what this machine cannot work without is well; the rest is reported.

    A check raises, or returns False, if its part is not well. `required` decides
    the status: a fleet must not leave the load balancer because River is down.
    """

    def __init__(
        self,
        required: Mapping[str, Callable[[], bool | None]],
        reported: Mapping[str, Callable[[], bool | None]],
    ) -> None:
        self._required = required
        self._reported = reported

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        required = {name: _is_well(name, check) for name, check in self._required.items()}
        reported = {name: _is_well(name, check) for name, check in self._reported.items()}
        ready = all(required.values())
        resp.status = falcon.HTTP_200 if ready else falcon.HTTP_503
        resp.text = json.dumps({"ready": ready} | required | reported)


def _is_well(name: str, check: Callable[[], bool | None]) -> bool:
    try:
        return check() is not False
    except Exception:
        # Whatever is wrong, the answer is "not well".
        logger.warning("not well: %s", name, exc_info=True)
        return False
