"""`msty-invoice river register-webhook|rotate-webhook-secret`"""

import argparse
from pathlib import Path
from typing import Any

from msty_invoice.bootstrap import build_webhook_registration
from msty_invoice.cli.describe import command, show_json, with_json
from msty_invoice.cli.secret_file import ensure_writable, write_secret
from msty_invoice.config import RIVER, Config, ConfigError

_NEEDS = RIVER | {"PUBLIC_URL", "LIGHTNING_NETWORK"}
_RESTART = "systemctl restart msty-invoice.target"


def add_to(commands: Any) -> None:
    group = command(
        commands, "river", "River's webhook and its secret.", "msty-invoice river --help"
    ).add_subparsers(required=True, metavar="ACTION")
    for add in (_add_register, _add_rotate):
        parser = add(group)
        parser.add_argument(
            "--secret-file",
            type=Path,
            metavar="PATH",
            help="where the secret is kept (default: what RIVER_WEBHOOK_SECRET_FILE names)",
        )
        with_json(parser)
        parser.set_defaults(needs=_NEEDS)


def _add_register(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "register-webhook",
        "Have River tell us of payments, and keep the secret it signs with.",
        "msty-invoice river register-webhook --secret-file /etc/msty-invoice/river_webhook_secret",
    )
    parser.set_defaults(run=_register)
    return parser


def _add_rotate(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "rotate-webhook-secret",
        "Replace the secret River signs with. The old one is accepted too, for what is under"
        " way, until --finish; payments told in between are found by `reconcile`.",
        "msty-invoice river rotate-webhook-secret",
    )
    parser.add_argument(
        "--finish", action="store_true", help="only stop accepting all but the newest secret"
    )
    parser.set_defaults(run=_rotate)
    return parser


def _register(config: Config, args: argparse.Namespace) -> int:
    path = _path(config, args)
    ensure_writable(path)
    write_secret(path, build_webhook_registration(config).register())
    return _say(args, path, accepted=1)


def _rotate(config: Config, args: argparse.Namespace) -> int:
    path = _path(config, args)
    ensure_writable(path)
    kept = [secret.hex() for secret in config.river_webhook_secret[:1]]
    if not args.finish:
        kept = [build_webhook_registration(config).replace(), *kept]
    write_secret(path, ",".join(kept))
    return _say(args, path, accepted=len(kept))


def _path(config: Config, args: argparse.Namespace) -> Path:
    if args.secret_file:
        return Path(args.secret_file)
    if config.river_webhook_secret_file:
        return Path(config.river_webhook_secret_file)
    raise ConfigError(["RIVER_WEBHOOK_SECRET_FILE is missing, and there is no --secret-file"])


def _say(args: argparse.Namespace, path: Path, accepted: int) -> int:
    if args.json:
        show_json({"secret_file": str(path), "accepted": accepted, "restart": _RESTART})
    else:
        plural = "secret is" if accepted == 1 else "secrets are"
        print(f"{accepted} {plural} in {path} now. For the service to read it:\n\n  {_RESTART}")
    return 0
