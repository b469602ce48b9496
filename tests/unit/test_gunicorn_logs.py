"""What gunicorn itself logs of a request."""

import os
import subprocess
import sys

from tests.unit.test_config import GOOD

# As gunicorn 27 says it of a worker that it ends (workers/base.py, handle_error).
_LOG = """
import logging
from msty_invoice import gunicorn_conf
gunicorn_conf.on_starting(None)
path = "/api/lightning/webhooks/lnbits/canary-token?canary=1"
logging.getLogger("gunicorn.error").error("Error handling request %s %s", "POST", path)
"""


def test_a_request_that_took_too_long_is_logged_without_its_token() -> None:
    command = [sys.executable, "-c", _LOG]
    done = subprocess.run(
        command, env=os.environ | GOOD, capture_output=True, text=True, check=True
    )

    assert "Error handling request POST /api/lightning/webhooks/lnbits/" in done.stderr
    assert "canary" not in done.stderr
