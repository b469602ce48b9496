"""gunicorn loads this: `msty_invoice.wsgi:application`."""

import os

from msty_invoice.bootstrap import build_app, configure_logs
from msty_invoice.config import WEB, Config

configure_logs()
application = build_app(Config.from_env(os.environ, WEB))
