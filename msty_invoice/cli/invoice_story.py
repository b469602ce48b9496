"""One invoice with its whole life, for a person and for a machine."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta

from msty_invoice.cli.words import clean, when
from msty_invoice.domain.diagnosis import all_well, diagnosis, sats
from msty_invoice.domain.timeline import Dossier, timeline


def lines(dossier: Dossier, grace: timedelta) -> Iterator[str]:
    """The head, the timeline, and the sentence."""
    for name, value in _head(dossier).items():
        yield f"{name:10}  {value}"
    yield ""
    for moment in timeline(dossier):
        theirs = f" (by the provider's clock {when(moment.provider_at)})"
        clock = theirs if moment.provider_at else ""
        yield f"{when(moment.at)}  {moment.path:9}  {clean(moment.what)}{clock}"
    yield ""
    yield clean(diagnosis(dossier, grace) or all_well(dossier))


def document(dossier: Dossier, grace: timedelta) -> dict[str, object]:
    """The same as JSON. `wrong` is null where nothing is. The preimage is left out."""
    wrong = diagnosis(dossier, grace)
    invoice = asdict(dossier.invoice)
    del invoice["preimage"]
    return {
        "invoice": invoice | {"late": dossier.invoice.late, "key": dossier.key_name},
        "timeline": [asdict(moment) for moment in timeline(dossier)],
        "wrong": wrong,
        "sentence": wrong or all_well(dossier),
    }


def _head(dossier: Dossier) -> dict[str, str]:
    invoice = dossier.invoice
    received = invoice.amount_received_sats
    return {
        "hash": invoice.payment_hash,
        "id": str(invoice.id),
        "status": f"{invoice.status}, late" if invoice.late else invoice.status,
        "amount": sats(invoice.amount_sats),
        "received": "nothing that settles it" if received is None else sats(received),
        "memo": clean(invoice.memo),
        "expires": when(invoice.expires_at),
        "provider": f"{invoice.provider} {clean(invoice.provider_ref)}",
        "key": clean(dossier.key_name),
        "bolt11": invoice.payment_request,
    }
