"""Faults of invoices and of deposits."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from coincurve import PublicKey

from msty_invoice.domain.invoice import Network
from msty_invoice.lightning import bech32
from msty_invoice.lightning.bolt11 import Bolt11Error, decode
from tests.integration.sandbox.processes import CREATE, DEPOSITS, Sandbox, until

PAY = "POST /_sandbox/pay"


def _corrupt(sandbox: Sandbox, flaw: str) -> str:
    sandbox.set_faults(corrupt_invoice=flaw)
    return str(sandbox.create()["destination"])


def _fields(payment_request: str) -> list[tuple[str, bytes]]:
    """Tag and digits of each field, read here by BOLT #11's plain words."""
    _, digits = bech32.decode(payment_request)
    fields, rest = [], digits[7:-104]
    while rest:
        length = int(rest[1:3], 32)
        fields.append((chr(rest[0]), rest[3 : 3 + length]))
        rest = rest[3 + length :]
    return fields


def test_an_invoice_may_name_another_amount(sandbox: Sandbox) -> None:
    assert decode(_corrupt(sandbox, "amount")).amount_sats == 2501


def test_an_invoice_may_name_another_network(sandbox: Sandbox) -> None:
    invoice = decode(_corrupt(sandbox, "network"))

    assert (invoice.network, invoice.amount_sats) == (Network.TESTNET, 2500)


def test_an_invoice_may_name_no_amount(sandbox: Sandbox) -> None:
    assert decode(_corrupt(sandbox, "no_amount")).amount_msat is None


def test_an_invoice_may_have_two_hashes_under_one_signature(sandbox: Sandbox) -> None:
    honest = decode(sandbox.create()["destination"])
    text = _corrupt(sandbox, "second_hash")

    hashes = [digits for tag, digits in _fields(text) if tag == "1"]

    assert len(set(hashes)) == len(hashes) == 2
    assert _signer(text) == honest.payee
    with pytest.raises(Bolt11Error, match="payment_hash"):
        decode(text)


def _signer(payment_request: str) -> str:
    """The public key recovered from the signature, by another reading than our codec's."""
    prefix, digits = bech32.decode(payment_request)
    bits = "".join(f"{int(chr(digit), 32):05b}" for digit in digits[:-104])
    bits += "0" * (-len(bits) % 8)
    signed = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    digest = sha256(prefix.encode() + signed).digest()
    signature = bech32.to_bytes(digits[-104:])
    signer = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    return signer.format().hex()


def test_a_corrupt_invoice_can_still_be_paid(sandbox: Sandbox) -> None:
    sandbox.set_faults(corrupt_invoice="second_hash")

    assert sandbox.pay(sandbox.create())["preimage"]


def test_new_invoices_expire_as_told(sandbox: Sandbox) -> None:
    sandbox.set_faults(expiry_seconds=90)

    assert decode(sandbox.create()["destination"]).expiry_seconds == 90


def test_deposits_report_another_amount_while_told(sandbox: Sandbox) -> None:
    sandbox.set_faults(amount_delta=-1)
    assert sandbox.paid()["amount"] == 2499

    sandbox.set_faults()
    assert sandbox.ask("GET", DEPOSITS)["deposits"][0]["amount"] == 2500


def test_list_and_deposit_may_disagree(sandbox: Sandbox) -> None:
    sandbox.set_faults(amount_delta={"value": 5, "endpoint": "GET /accounts/{account_id}/deposits"})

    assert sandbox.paid()["amount"] == 2500
    assert sandbox.ask("GET", DEPOSITS)["deposits"][0]["amount"] == 2505


@pytest.mark.parametrize("offset_ms", [-3_600_000, 3_600_000])
def test_deposits_are_dated_as_told(sandbox: Sandbox, offset_ms: int) -> None:
    honest = sandbox.paid()
    sandbox.set_faults(deposit_timestamp_offset_ms={"value": offset_ms, "endpoint": PAY})

    shifted = sandbox.paid()

    distance = timedelta(milliseconds=shifted["timestamp"] - honest["timestamp"] - offset_ms)
    assert timedelta(0) <= distance < timedelta(seconds=5)
    newest_first = [honest, shifted] if offset_ms < 0 else [shifted, honest]
    assert sandbox.ask("GET", DEPOSITS)["deposits"] == newest_first


def test_a_deposit_may_appear_in_lists_later(sandbox: Sandbox) -> None:
    sandbox.set_faults(list_delay_s=0.3)
    deposit = sandbox.paid()
    paid_at = datetime.fromtimestamp(deposit["timestamp"] / 1000, UTC)

    listed = until(lambda: sandbox.ask("GET", DEPOSITS)["deposits"], bool)

    assert listed == [deposit]
    assert datetime.now(UTC) - paid_at >= timedelta(seconds=0.3)


def test_a_deposit_delayed_for_long_is_not_listed_yet(sandbox: Sandbox) -> None:
    sandbox.set_faults(list_delay_s=1000)
    sandbox.paid()

    assert sandbox.ask("GET", DEPOSITS) == {"deposits": []}


def test_a_deposit_may_be_pending_where_it_is_asked_for(sandbox: Sandbox) -> None:
    deposit = sandbox.paid()
    one = "GET /accounts/{account_id}/deposits/{id}"
    sandbox.set_faults(pending_deposits={"value": True, "endpoint": one})

    assert sandbox.ask("GET", f"{DEPOSITS}/{deposit['id']}")["state"] == "PENDING"
    assert sandbox.ask("GET", DEPOSITS)["deposits"][0]["state"] == "SUCCESS"


def test_the_proof_is_the_preimage(sandbox: Sandbox) -> None:
    details, payment_hash = _details(sandbox, "preimage")

    assert sha256(bytes.fromhex(details["proof"])).hexdigest() == payment_hash


def test_the_proof_may_be_absent(sandbox: Sandbox) -> None:
    assert _details(sandbox, "absent")[0] == {"network": "LN"}


def test_the_proof_may_be_the_hash(sandbox: Sandbox) -> None:
    details, payment_hash = _details(sandbox, "hash")

    assert details["proof"] == payment_hash


def test_the_proof_may_be_random_but_stays_the_same(sandbox: Sandbox) -> None:
    details, payment_hash = _details(sandbox, "random")

    assert len(bytes.fromhex(details["proof"])) == 32
    assert sha256(bytes.fromhex(details["proof"])).hexdigest() != payment_hash
    assert sandbox.ask("GET", DEPOSITS)["deposits"][0]["deposit_details"] == details


def _details(sandbox: Sandbox, proof: str) -> tuple[Any, str]:
    sandbox.set_faults(proof=proof)
    deposit = sandbox.paid()
    payment_hash = decode(deposit["deposit_intent"]["destination"]).payment_hash
    return deposit["deposit_details"], payment_hash


def test_invoices_of_other_endpoints_are_left_alone(sandbox: Sandbox) -> None:
    sandbox.set_faults(corrupt_invoice={"value": "amount", "endpoint": "GET /"})
    assert decode(sandbox.create()["destination"]).amount_sats == 2500

    sandbox.set_faults(corrupt_invoice={"value": "amount", "endpoint": CREATE})
    assert decode(sandbox.create()["destination"]).amount_sats == 2501
