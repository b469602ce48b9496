"""An invoice lost in a restore comes back from its deposit (design §4.10)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol
from unicodedata import category
from uuid import UUID, uuid4

from msty_invoice.domain.books import DISPUTES, BookedDeposit
from msty_invoice.domain.deposit import LIGHTNING, Deposit, DepositState, Verdict
from msty_invoice.domain.errors import (
    KeyNotFound,
    NotAdoptable,
    NotResolvable,
    UntrustworthyInvoice,
)
from msty_invoice.domain.invoice import Invoice, InvoiceStatus, IssuedInvoice, Network
from msty_invoice.domain.key import ApiKey
from msty_invoice.service.operator_ports import AdoptionStore
from msty_invoice.service.quarantine import Evidence, Quarantine, ensure_open
from msty_invoice.service.settlement_ports import DepositStore


class ReadIssued(Protocol):
    def __call__(
        self, payment_request: str, *, network: Network, provider: str, provider_ref: str
    ) -> tuple[IssuedInvoice, str | None]:
        """What a BOLT11 says, and its description. Raises `UntrustworthyInvoice`."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """The invoice, and its deposit as it is judged now. `done_before`: nothing was left to do."""

    invoice: Invoice
    deposit: BookedDeposit
    done_before: bool = False


class Adopting:
    """`find_key` raises `KeyNotFound`. `proving`: providers whose proofs are demanded."""

    def __init__(
        self,
        quarantine: Quarantine,
        adoption: AdoptionStore,
        deposits: DepositStore,
        find_key: Callable[[str], ApiKey],
        read_issued: ReadIssued,
        network: Network,
        *,
        proving: Collection[str],
    ) -> None:
        self._quarantine = quarantine
        self._adoption = adoption
        self._deposits = deposits
        self._find_key = find_key
        self._read_issued = read_issued
        self._network = network
        self._proving = proving

    def adopt(self, ref: str, key_name: str, reason: str, *, dry_run: bool = False) -> Adopted:
        """Rebuild the invoice of an unknown deposit, and judge the deposit again.

        Safe to run twice, by two people at once, and after a kill: one invoice, one credit.
        Raises `NotAdoptable`, `NotResolvable`, `DepositNotFound` or `KeyNotFound`.
        """
        evidence = self._quarantine.find(ref)
        deposit = evidence.deposit
        if deposit.verdict is Verdict.CREDITED and not evidence.finding:
            return Adopted(self._known(deposit), deposit, done_before=True)
        _ensure_adoptable(evidence)
        invoice = self._rebuilt(deposit, self._family(key_name))
        if dry_run:
            return Adopted(invoice, deposit)
        recorded = self._adoption.rebuild(invoice, deposit, reason)
        if recorded is None:
            raise NotAdoptable(f"{ref}: another invoice has its payment hash, or it changed")
        self._deposits.judge(_reported(deposit), "adopt")
        return Adopted(self._known(deposit), self._quarantine.find(ref).deposit)

    def _known(self, deposit: BookedDeposit) -> Invoice:
        found = self._adoption.of_intent(deposit.provider, deposit.intent_ref)
        if found is None:
            raise NotAdoptable(f"{deposit.deposit_ref}: its invoice cannot be seen")
        return found

    def _family(self, key_name: str) -> UUID:
        key = self._find_key(key_name)
        if key.live is not (self._network is Network.MAINNET):
            kind = "live" if key.live else "test"
            raise KeyNotFound(f"{key_name} is a {kind} key, and this is {self._network}")
        return key.id

    def _rebuilt(self, deposit: BookedDeposit, family: UUID) -> Invoice:
        """The invoice as it must have been. Its history says when it was recorded again."""
        issued, description = self._read(deposit)
        if deposit.amount_sats < issued.amount_sats:
            raise NotAdoptable(
                f"{deposit.deposit_ref} has {deposit.amount_sats} sats, its invoice asks for"
                f" {issued.amount_sats}: refund the payer and resolve it without --adopt"
            )
        demanded = deposit.provider in self._proving
        if demanded and not _proves(deposit.proof, issued.payment_hash):
            raise NotAdoptable(f"{deposit.deposit_ref}: its proof is not of its payment hash")
        return Invoice(
            id=uuid4(),
            key_family=family,
            provider=issued.provider,
            provider_ref=issued.provider_ref,
            payment_request=issued.payment_request,
            payment_hash=issued.payment_hash,
            amount_sats=issued.amount_sats,
            memo=_memo(description),
            status=InvoiceStatus.PENDING,
            issued_at=issued.issued_at,
            expires_at=issued.expires_at,
            created_at=issued.issued_at,
            updated_at=issued.issued_at,
        )

    def _read(self, deposit: BookedDeposit) -> tuple[IssuedInvoice, str | None]:
        if not deposit.payment_request:
            raise NotAdoptable(f"{deposit.deposit_ref} has no BOLT11 to rebuild an invoice from")
        try:
            return self._read_issued(
                deposit.payment_request,
                network=self._network,
                provider=deposit.provider,
                provider_ref=deposit.intent_ref,
            )
        except UntrustworthyInvoice as exc:
            raise NotAdoptable(f"its BOLT11 is not one of ours: {exc}") from exc


def _ensure_adoptable(evidence: Evidence) -> None:
    deposit = evidence.deposit
    if evidence.finding:
        raise NotAdoptable(f"{evidence.ref} is a finding; name its deposit {deposit.deposit_ref}")
    ensure_open(evidence)
    if deposit.verdict is not Verdict.UNKNOWN:
        raise NotResolvable(
            f"{deposit.deposit_ref} is {deposit.verdict}, its invoice is known:"
            " resolve it without --adopt"
        )
    if deposit.network != LIGHTNING:
        raise NotAdoptable(f"{deposit.deposit_ref} came over {deposit.network}: nothing to rebuild")
    for found in evidence.findings:
        if found.what in DISPUTES and found.resolved_at is None:
            raise NotAdoptable(
                f"the provider now says {found.what} {found.reported} instead of"
                f" {found.recorded}: resolve {found.ref} first"
            )


def _reported(deposit: BookedDeposit) -> Deposit:
    """As the provider reported it."""
    return Deposit(
        provider=deposit.provider,
        deposit_ref=deposit.deposit_ref,
        intent_ref=deposit.intent_ref,
        amount_sats=deposit.amount_sats,
        network=deposit.network,
        state=DepositState.SUCCEEDED,
        deposited_at=deposit.deposited_at,
        payment_request=deposit.payment_request,
        proof=deposit.proof,
    )


def _proves(proof: str | None, payment_hash: str) -> bool:
    try:
        return sha256(bytes.fromhex(proof or "")).hexdigest() == payment_hash
    except ValueError:
        return False


def _memo(description: str | None) -> str | None:
    """What a client could have sent as a memo."""
    if not description or any(category(character) == "Cc" for character in description):
        return None
    return description
