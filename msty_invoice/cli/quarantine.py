"""`msty-invoice quarantine list|show|resolve`"""

import argparse
from dataclasses import asdict
from typing import Any

from msty_invoice.bootstrap import build_adopting, build_quarantine
from msty_invoice.cli import quarantine_rows
from msty_invoice.cli.describe import command, show_json, show_table, with_json
from msty_invoice.cli.words import reason
from msty_invoice.config import DATABASE, Config
from msty_invoice.domain.deposit import Verdict
from msty_invoice.domain.diagnosis import sats
from msty_invoice.service.adopting import Adopted
from msty_invoice.service.quarantine import Evidence, ensure_open


def add_to(commands: Any) -> None:
    group = command(
        commands,
        "quarantine",
        "Money that settled nothing, and what the provider said otherwise later: kept with all"
        " evidence until somebody decides.",
        "msty-invoice quarantine list",
    ).add_subparsers(required=True, metavar="ACTION")
    for add in (_add_list, _add_show, _add_resolve):
        parser = add(group)
        with_json(parser)
        parser.set_defaults(needs=DATABASE)


def _add_list(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group, "list", "What waits for a decision, oldest first.", "msty-invoice quarantine list"
    )
    parser.add_argument("--all", action="store_true", help="also what was decided")
    parser.set_defaults(run=_list)
    return parser


def _add_show(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "show",
        "All evidence about a deposit or a finding, and what can be done.",
        "msty-invoice quarantine show finding:12",
    )
    parser.add_argument("ref", metavar="REF", help="of a deposit, or finding:ID")
    parser.set_defaults(run=_show)
    return parser


def _add_resolve(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "resolve",
        "Say why it needs nobody any more; the reason is kept, nothing is deleted. With --adopt"
        " an invoice that was lost is rebuilt from its deposit's BOLT11, and settled.",
        "msty-invoice quarantine resolve dep_8f2 --reason 'refunded by support, ticket 71'\n"
        "  msty-invoice quarantine resolve dep_8f2 --adopt --key shop --reason 'restored backup'",
    )
    parser.add_argument("ref", metavar="REF", help="of a deposit, or finding:ID")
    parser.add_argument("--reason", required=True, type=reason, help="what was done, and why")
    parser.add_argument("--adopt", action="store_true", help="rebuild the lost invoice")
    parser.add_argument("--key", metavar="NAME", help="whose invoice it was; with --adopt")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.set_defaults(run=_resolve, refuse=parser.error)
    return parser


def _list(config: Config, args: argparse.Namespace) -> int:
    deposits, findings = build_quarantine(config).list(all_of_them=args.all)
    waiting = sum(deposit.amount_sats for deposit in deposits if deposit.waits)
    if args.json:
        found = {
            "deposits": [asdict(deposit) for deposit in deposits],
            "findings": [asdict(finding) | {"ref": finding.ref} for finding in findings],
            "waitingSats": waiting,
        }
        show_json(found)
    elif deposits or findings:
        show_table(quarantine_rows.HEAD, list(quarantine_rows.rows(deposits, findings)))
        print(f"\n{sats(waiting)} wait for a decision: msty-invoice quarantine show REF")
    else:
        print("Nothing waits for a decision. What was decided: msty-invoice quarantine list --all")
    return 0


def _show(config: Config, args: argparse.Namespace) -> int:
    evidence = build_quarantine(config).find(args.ref)
    if args.json:
        show_json(asdict(evidence) | {"choices": quarantine_rows.choices(evidence)})
    else:
        print("\n".join(quarantine_rows.lines(evidence)))
    return 0


def _resolve(config: Config, args: argparse.Namespace) -> int:
    if args.adopt != bool(args.key):
        args.refuse("--adopt needs --key NAME, and only --adopt has one")
    if args.adopt:
        return _adopt(config, args)
    quarantine = build_quarantine(config)
    evidence = quarantine.find(args.ref)
    if args.dry_run:
        ensure_open(evidence)
    else:
        evidence = quarantine.resolve(evidence, args.reason)
    done = "would resolve" if args.dry_run else "resolved"
    _say(args, f"{done} {evidence.ref}: {args.reason}", evidence)
    return 0


def _adopt(config: Config, args: argparse.Namespace) -> int:
    adopted = build_adopting(config).adopt(args.ref, args.key, args.reason, dry_run=args.dry_run)
    _say(args, _sentence(adopted, dry_run=args.dry_run), adopted)
    if args.dry_run or adopted.deposit.verdict is Verdict.CREDITED:
        return 0
    return 1


def _sentence(adopted: Adopted, *, dry_run: bool) -> str:
    invoice, deposit = adopted.invoice, adopted.deposit
    of = f"invoice {invoice.payment_hash} of {sats(invoice.amount_sats)}"
    if adopted.done_before:
        return f"{deposit.deposit_ref} is credited already, to {of}; nothing was left to do"
    if dry_run:
        return f"would rebuild {of}, and credit {deposit.deposit_ref} to it"
    if deposit.verdict is Verdict.CREDITED:
        return f"rebuilt {of}, and credited {deposit.deposit_ref} to it"
    return f"{deposit.deposit_ref} is {deposit.verdict} of {of}, and still waits for a decision"


def _say(args: argparse.Namespace, sentence: str, found: Evidence | Adopted) -> None:
    if args.json:
        show_json(asdict(found) | {"done": not args.dry_run, "sentence": sentence})
    else:
        print(sentence)
