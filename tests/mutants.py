"""Guards whose removal must not go unnoticed. Run by `bin/mutants`."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Mutant:
    """In `file`, `guard` becomes `without`; then one of `tests` must fail."""

    name: str
    file: str
    guard: str
    without: str
    tests: str


MUTANTS = (
    Mutant(
        "the amount of a BOLT11 is compared with the order",
        "msty_invoice/lightning/issued.py",
        "if amount_sats != order.amount_sats:",
        "if False:",
        "tests/unit/test_issued.py",
    ),
    Mutant(
        "the network of a BOLT11 is compared with ours",
        "msty_invoice/lightning/issued.py",
        "if bolt11.network != network:",
        "if False:",
        "tests/unit/test_issued.py",
    ),
    Mutant(
        "an API key is found by its own hash only",
        "msty_invoice/storage/keys.py",
        "WHERE s.secret_sha256 = %(secret_sha256)s\n          AND a.revoked_at IS NULL",
        "WHERE a.revoked_at IS NULL",
        "tests/storage/test_keys.py",
    ),
    Mutant(
        "a test key does not work on mainnet",
        "msty_invoice/service/keys.py",
        "if key.live is not self._live:",
        "if False:",
        "tests/unit/test_keyring.py",
    ),
    Mutant(
        "an invoice is read by the family that made it only",
        "msty_invoice/storage/invoices.py",
        "WHERE payment_hash = %(payment_hash)s AND key_family = %(key_family)s",
        "WHERE payment_hash = %(payment_hash)s",
        "tests/storage/test_invoices.py",
    ),
    Mutant(
        "one payment hash belongs to one invoice",
        "migrations/0003.create-invoices.sql",
        "NOT NULL UNIQUE CHECK (payment_hash",
        "NOT NULL CHECK (payment_hash",
        "tests/storage/test_invoices.py",
    ),
    Mutant(
        "a settled invoice is never deleted",
        "migrations/0003.create-invoices.sql",
        "BEFORE DELETE ON invoices FOR EACH ROW\n    WHEN (OLD.status = 'settled')",
        "BEFORE DELETE ON invoices FOR EACH ROW\n    WHEN (false)",
        "tests/storage/test_schema.py",
    ),
    Mutant(
        "a call ends by its deadline",
        "msty_invoice/lightning/deadline.py",
        "        if seconds <= 0:",
        "        if seconds <= -3600:",
        "tests/integration/river/test_rude_servers.py",
    ),
    Mutant(
        "a redirect is not an answer",
        "msty_invoice/lightning/river/client.py",
        "if answer.status == 200 or (answer.status == 404 and endpoint.single):",
        "if answer.status < 400 or (answer.status == 404 and endpoint.single):",
        "tests/integration/river/test_rude_servers.py",
    ),
    Mutant(
        "a name stands once in an object",
        "msty_invoice/web/body.py",
        "if len(names) != len(pairs):",
        "if False:",
        "tests/web/test_bodies.py",
    ),
    Mutant(
        "a body is at most 16 KiB",
        "msty_invoice/web/body.py",
        "if (req.content_length or 0) > MAX_BYTES:",
        "if False:",
        "tests/web/test_bodies.py",
    ),
    Mutant(
        "the fifty-first create is refused",
        "msty_invoice/web/admission.py",
        "if not decision.admitted:",
        "if False:",
        "tests/web/test_create_invoice.py",
    ),
    Mutant(
        "a lost connection is resolved by looking",
        "msty_invoice/storage/invoices.py",
        "return self._find(invoice.id) or self._insert(invoice)",
        "raise",
        "tests/storage/test_reconnecting.py",
    ),
)


def main() -> int:
    """Exit 0 if every mutant was caught, 1 if one lives, 2 if a guard is not where it was."""
    parser = argparse.ArgumentParser(prog="bin/mutants", description=__doc__)
    parser.add_argument("only", nargs="*", help="words that a mutant's name must contain")
    parser.add_argument("--list", action="store_true", help="name them and stop")
    args = parser.parse_args()
    chosen = [m for m in MUTANTS if all(word in m.name for word in args.only)]
    if args.list:
        print("\n".join(mutant.name for mutant in chosen))
        return 0
    moved = [mutant.name for mutant in chosen if not _stands(mutant)]
    if moved:
        print("\n".join(f"the guard is not where it was: {name}" for name in moved))
        return 2
    alive = [mutant.name for mutant in chosen if not _caught(mutant)]
    print(f"{len(chosen) - len(alive)} of {len(chosen)} caught")
    return 1 if alive else 0


def _stands(mutant: Mutant) -> bool:
    return (ROOT / mutant.file).read_text().count(mutant.guard) == 1


def _caught(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory(prefix="msty-mutant-") as folder:
        copy = Path(folder, "tree")
        _copy_tree(copy)
        target = copy / mutant.file
        target.write_text(target.read_text().replace(mutant.guard, mutant.without))
        caught = _fails(mutant, copy)
    print(f"{'caught' if caught else 'ALIVE '}  {mutant.name}", flush=True)
    return caught


def _copy_tree(copy: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().splitlines():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)


def _fails(mutant: Mutant, copy: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", *mutant.tests.split()]
    # Its own tree first on the path, before the one that is installed.
    env = {"PATH": "/usr/bin:/bin", "HOME": str(copy), "PYTHONPATH": str(copy)}
    run = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
    if run.returncode not in (0, 1):
        print(run.stdout[-2000:], run.stderr[-2000:], file=sys.stderr)
        raise SystemExit(f"bin/mutants: pytest ended with {run.returncode} for: {mutant.name}")
    return run.returncode == 1


if __name__ == "__main__":
    sys.exit(main())
