"""What other implementations make of invoices, in our terms.

`python -m tests.oracles.answers`, in the root of the repository with node and npm at
hand, asks them all again and writes tests/unit/vectors/bolt11_oracles.json. To move to
another version of the npm decoder: change package.json here, run `npm install` in a copy
of this folder (its .npmrc keeps registry addresses out of the lock), copy the lock back.
"""

import json
import shutil
import subprocess
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

from msty_invoice.lightning.bolt11 import Bolt11, RouteHop
from tests.oracles.invoices import our_invoices

Answer = dict[str, Any]

VECTORS = Path(__file__).parents[1] / "unit" / "vectors"
_HERE = Path(__file__).parent
_NPM_FILES = ("package.json", "package-lock.json", ".npmrc", "decode.mjs")
_NETWORKS = {"bc": "mainnet", "tb": "testnet", "tbs": "signet", "bcrt": "regtest"}


def questions() -> list[str]:
    """BOLT #11's valid examples, then our own invoices."""
    examples = json.loads((VECTORS / "bolt11.json").read_text())["valid"]
    return [example["invoice"] for example in examples] + our_invoices()


def our_answer(invoice: Bolt11) -> Answer:
    """What our decoder made of an invoice, in the same shape."""
    answer = {field.name: getattr(invoice, field.name) for field in fields(invoice)}
    features = answer.pop("features")
    return answer | {
        "network": invoice.network.value,
        "feature_bits": [bit for bit in range(features.bit_length()) if features >> bit & 1],
        "metadata": None if invoice.metadata is None else invoice.metadata.hex(),
        "route_hints": [[_hop(hop) for hop in route] for route in invoice.route_hints],
        "fallback_addresses": [[a.version, a.program.hex()] for a in invoice.fallback_addresses],
    }


def ask_bolt11(payment_requests: list[str]) -> list[Answer]:
    """Ask PyPI's `bolt11`, which does check signatures. It needs Python below 3.13."""
    return [_ask_bolt11(payment_request) for payment_request in payment_requests]


def written_by_bolt11(payment_request: str, private_key: bytes) -> str:
    """The same invoice as PyPI's `bolt11` writes it, which is what LNbits signs with."""
    import bolt11

    return bolt11.encode(bolt11.decode(payment_request), private_key.hex())


def ask_light_bolt11_decoder(payment_requests: list[str], folder: Path) -> list[Answer]:
    """Ask npm's `light-bolt11-decoder`, installed from its lock into an empty folder."""
    for name in _NPM_FILES:
        shutil.copy(_HERE / name, folder)
    # npm speaks of its own configuration on standard error: kept unless it fails.
    subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True, capture_output=True)
    done = subprocess.run(
        ["node", "decode.mjs"],
        cwd=folder,
        check=True,
        input="\n".join(payment_requests),
        stdout=subprocess.PIPE,
        text=True,
    )
    return [_from_light(json.loads(line)) for line in done.stdout.splitlines()]


def _ask_bolt11(payment_request: str) -> Answer:
    import bolt11  # only where a test asks, since not every Python has it

    decoded = bolt11.decode(payment_request)
    features = decoded.features.data.uint if decoded.features else 0
    return {
        "network": _NETWORKS[decoded.currency],
        "amount_msat": None if decoded.amount_msat is None else int(decoded.amount_msat),
        "timestamp": decoded.date,
        "payment_hash": decoded.payment_hash,
        "payment_secret": decoded.payment_secret,
        "description": decoded.description,
        "description_hash": decoded.description_hash,
        "expiry_seconds": decoded.expiry,
        "min_final_cltv_expiry_delta": decoded.min_final_cltv_expiry,
        "feature_bits": [bit for bit in range(features.bit_length()) if features >> bit & 1],
        "metadata": decoded.metadata,
        "route_hints": [[list(hop) for hop in hint.routes] for hint in decoded.route_hints or []],
        "payee": decoded.payee,
    }


def _from_light(answer: Answer) -> Answer:
    if answer["amount_msat"] is not None:
        answer["amount_msat"] = int(answer["amount_msat"])
    # It leaves the BOLT's defaults to its callers.
    if answer["expiry_seconds"] is None:
        answer["expiry_seconds"] = 3600
    if answer["min_final_cltv_expiry_delta"] is None:
        answer["min_final_cltv_expiry_delta"] = 18
    for route in answer["route_hints"]:
        for hop in route:
            hop[1] = _short_channel_id(int(hop[1], 16))
    return answer


def _hop(hop: RouteHop) -> list[Any]:
    return [
        hop.public_key,
        _short_channel_id(hop.short_channel_id),
        hop.fee_base_msat,
        hop.fee_proportional_millionths,
        hop.cltv_expiry_delta,
    ]


def _short_channel_id(number: int) -> str:
    # BOLT #7's readable form: block, transaction and output.
    return f"{number >> 40}x{number >> 16 & 0xFFFFFF}x{number & 0xFFFF}"


def main() -> None:
    """Write the vectors anew."""
    asked = questions()
    with tempfile.TemporaryDirectory() as folder:
        light = ask_light_bolt11_decoder(asked, Path(folder))
    vectors = [
        {"invoice": invoice, "bolt11": first, "light_bolt11_decoder": second}
        for invoice, first, second in zip(asked, ask_bolt11(asked), light, strict=True)
    ]
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors)
    (VECTORS / "bolt11_oracles.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
