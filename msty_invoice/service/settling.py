"""From what a provider says to what is settled. Webhook, walk and look all end here."""

import logging
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from msty_invoice.domain.deposit import (
    Deposit,
    DepositState,
    Finding,
    Judgement,
    RecordedDeposit,
    Verdict,
    findings,
)
from msty_invoice.domain.errors import (
    ProviderError,
    ProviderRefused,
    ProviderUnreadable,
    StorageUnavailable,
)
from msty_invoice.service.ports import LightningProvider
from msty_invoice.service.settlement_ports import DepositStore, SettlementCounts

logger = logging.getLogger(__name__)

# Kept with all evidence and reported: somebody must look at these.
_QUARANTINE = frozenset(Verdict) - {Verdict.CREDITED, Verdict.TRANSFER}


class Settling:
    """Judges deposits by the provider's own authenticated answer, each exactly once."""

    def __init__(
        self, provider: LightningProvider, deposits: DepositStore, counts: SettlementCounts
    ) -> None:
        self._provider = provider
        self._deposits = deposits
        self._counts = counts

    @property
    def is_signed(self) -> bool:
        """Whether what announces a deposit is the provider's own word."""
        return self._provider.signs_webhooks

    def record(self, reported: Sequence[Deposit], how: str) -> bool:
        """Judge what is new, and compare the rest with the books. Safe to run any number of times.

        `how` is the path: `webhook`, `walk`, `look` or `ask`. False: not all is recorded, by
        a fault of ours; one that we cannot take keeps no other out of the books.
        """
        whole = True
        for provider, group in groupby(reported, attrgetter("provider")):
            of_provider = list(group)
            refs = [deposit.deposit_ref for deposit in of_provider]
            books = self._deposits.recorded(provider, refs)
            for deposit in of_provider:
                whole &= self._try_one(deposit, books.get(deposit.deposit_ref), how)
        return whole

    def settle(self, deposit_ref: str, how: str) -> DepositState | None:
        """Ask the provider about one deposit and record it. None: it knows no such deposit.

        Raises a `ProviderError` if it cannot be asked.
        """
        deposit = self._provider.deposit(deposit_ref)
        if deposit is None:
            return None
        books = self._deposits.recorded(deposit.provider, [deposit_ref])
        self._record_one(deposit, books.get(deposit_ref), how)
        return deposit.state

    def ask_open(self, limit: int = 3) -> int:
        """Ask about a few deposits that were pending, and return how many.

        Only a few: each may take a whole deadline. One that is not told of keeps no other
        waiting, and one that got no answer is asked again as soon as it is no longer claimed.
        """
        refs = self._deposits.due(self._provider.name, limit)
        for ref in refs:
            try:
                state = self._ask(ref)
            except ProviderError as exc:
                logger.warning("a pending deposit: %s", exc, extra={"deposit_ref": ref})
                continue
            if state in (DepositState.SUCCEEDED, DepositState.FAILED):
                self._deposits.close(self._provider.name, ref, state)
            else:
                self._deposits.asked(self._provider.name, ref)
        return len(refs)

    def rematch(self, limit: int = 500) -> int:
        """Judge again what was recorded before its invoice could be seen; return how many."""
        matchable = self._deposits.matchable(self._provider.name, limit)
        for deposit in matchable:
            self._try_one(deposit, None, "rematch")
        return len(matchable)

    def look(self, payment_hash: str) -> None:
        """Ask now whether an invoice was paid. Raises a `ProviderError`."""
        self.record(self._provider.look(payment_hash), "look")

    def _ask(self, deposit_ref: str) -> DepositState | None:
        """Its state; None if the provider answers, and not with one that we can take."""
        try:
            return self.settle(deposit_ref, "ask")
        except (ProviderRefused, ProviderUnreadable) as exc:
            logger.warning("a pending deposit: %s", exc, extra={"deposit_ref": deposit_ref})
        except (ProviderError, StorageUnavailable):
            raise
        except Exception:
            logger.exception("a pending deposit", extra={"deposit_ref": deposit_ref})
        return None

    def _try_one(self, deposit: Deposit, recorded: RecordedDeposit | None, how: str) -> bool:
        try:
            self._record_one(deposit, recorded, how)
        except StorageUnavailable:
            raise
        except Exception:
            logger.exception("not recorded", extra={"deposit_ref": deposit.deposit_ref})
            return False
        return True

    def _record_one(self, deposit: Deposit, recorded: RecordedDeposit | None, how: str) -> None:
        if not deposit.readable:
            if recorded is None:
                self._counts.found("unreadable")
                self._deposits.open(deposit)
            return
        if recorded:
            self._note(findings(recorded, deposit))
        if recorded is None or recorded.verdict is Verdict.UNKNOWN:
            self._record_new(deposit, how)

    def _record_new(self, deposit: Deposit, how: str) -> None:
        if deposit.state is DepositState.SUCCEEDED:
            self._judge(deposit, how)
        elif deposit.state is DepositState.PENDING:
            self._deposits.open(deposit)

    def _judge(self, deposit: Deposit, how: str) -> None:
        judgement = self._deposits.judge(deposit, how)
        if judgement is None:
            return  # another path was quicker
        self._counts.judged(judgement.verdict, how)
        if judgement.settled:
            self._counts.proof(_proof_kind(deposit, judgement))
        level = logging.ERROR if judgement.verdict in _QUARANTINE else logging.INFO
        logger.log(
            level,
            "deposit %s",
            judgement.verdict,
            extra={"deposit_ref": deposit.deposit_ref, "how": how, "sats": deposit.amount_sats},
        )

    def _note(self, differences: Iterable[Finding]) -> None:
        for finding in differences:
            if self._deposits.add_finding(finding):
                self._counts.found(finding.what)
                extra = {"deposit_ref": finding.deposit_ref, "what": finding.what}
                logger.error("the provider says otherwise than before", extra=extra)


def _proof_kind(deposit: Deposit, judgement: Judgement) -> str:
    if judgement.proved:
        return "preimage"
    return "other" if deposit.proof else "absent"
