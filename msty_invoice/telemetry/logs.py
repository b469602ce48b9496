"""One JSON object per line on stderr, which systemd keeps."""

import logging
import re
import sys
import time
from collections.abc import Callable

from pythonjsonlogger.json import JsonFormatter

_FIELDS = "{asctime}{levelname}{name}{message}"
# Names after the Elastic Common Schema.
_NAMES = {"asctime": "@timestamp", "levelname": "log.level", "name": "log.logger"}

# The path of a webhook that is not signed ends in its token (design §2).
_TOKEN = re.compile(r"(/webhooks/[^/\s]+/)\S+")


class _RequestIdFilter(logging.Filter):
    def __init__(self, request_id: Callable[[], str]) -> None:
        super().__init__()
        self._request_id = request_id

    def filter(self, record: logging.LogRecord) -> bool:
        if request_id := self._request_id():
            setattr(record, "http.request.id", request_id)
        return True


def _hide_tokens(record: logging.LogRecord) -> bool:
    """gunicorn names the path of a request that it ends, whoever else may do so."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError):
        return True  # words and values that do not fit: the handler says so, and goes on
    if _TOKEN.search(message):
        record.msg, record.args = _TOKEN.sub(r"\1…", message), ()
    return True


def configure(request_id: Callable[[], str] = str) -> None:
    """Send every log line to stderr as JSON, with the id of the request being answered."""
    formatter = JsonFormatter(
        _FIELDS, style="{", rename_fields=_NAMES, datefmt="%Y-%m-%dT%H:%M:%SZ"
    )
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(_RequestIdFilter(request_id))
    handler.addFilter(_hide_tokens)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("yoyo").setLevel(logging.WARNING)
