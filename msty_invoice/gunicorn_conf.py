"""gunicorn's settings: `gunicorn -c python:msty_invoice.gunicorn_conf msty_invoice.wsgi`.

Where it listens is for the caller to say: an activated socket, or `--bind`.
"""

import logging
import os
import sys
from typing import Any

from msty_invoice import listeners
from msty_invoice.bootstrap import configure_logs, ensure_failpoints
from msty_invoice.config import WEB, Config, ConfigError

try:
    # Before anything is forked: a wrong setting ends this process, not five workers.
    _config = Config.from_env(os.environ, WEB)
    ensure_failpoints(_config)
except ConfigError as exc:
    sys.stderr.write(f"msty-invoice: {exc}\n")
    sys.exit(2)

worker_class = "sync"
workers = _config.create_workers

# The inner is always the shorter: provider 8 s < worker 15 s < Nginx 20 s, and
# a graceful stop of 25 s < systemd's 35 s (design §7).
timeout = 15
graceful_timeout = 25

# A worker that leaks is replaced, and never all of them at once.
max_requests = 5_000
max_requests_jitter = 1_000

# The heartbeat file must never wait for a disk.
worker_tmp_dir = "/dev/shm"  # noqa: S108 - memory, not a shared folder of predictable names
umask = 0o007
control_socket_disable = True
accesslog = None  # Nginx writes it

limit_request_line = 2048
limit_request_fields = 50
limit_request_field_size = 4096
# Whom to believe about a client's address is decided by CLIENT_ADDRESS alone.
forwarded_allow_ips = ""


def on_starting(server: Any) -> None:
    """Send gunicorn's own words the same way as ours: one JSON object per line."""
    configure_logs()
    own = logging.getLogger("gunicorn.error")
    own.handlers.clear()
    own.propagate = True


def when_ready(server: Any) -> None:
    """Refuse sockets on which CLIENT_ADDRESS would be a lie: only now are they known."""
    if sentence := listeners.problem(_config.client_address, [it.sock for it in server.LISTENERS]):
        sys.stderr.write(f"msty-invoice: settings: {sentence}\n")
        sys.exit(2)
