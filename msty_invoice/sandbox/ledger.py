"""The account: what was asked for, what arrived, what was sent, and the money left."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from msty_invoice.sandbox.book import Book
from msty_invoice.sandbox.records import (
    PENDING,
    SUCCESS,
    Delivery,
    Deposit,
    Intent,
    Webhook,
    Withdrawal,
)


class Memory(Protocol):
    """Where changes are kept: `journal.Journal` or `journal.NoJournal`."""

    def load(self) -> Iterator[tuple[str, Any]]: ...

    def append(self, kind: str, fields: object) -> None: ...


class Ledger:
    """Every change is written to memory first, then true."""

    def __init__(self, memory: Memory, opening_balance_sats: int) -> None:
        self.intents: Book[Intent] = Book()
        self.deposits: Book[Deposit] = Book()
        self.withdrawals: Book[Withdrawal] = Book()
        self.webhook: Webhook | None = None
        self.undelivered: dict[int, Delivery] = {}
        self.balance_sats = opening_balance_sats
        self.held_sats = 0
        self._last_delivery = 0
        self._intent_by_destination: dict[str, Intent] = {}
        self._paid_intents: set[str] = set()
        self._withdrawal_by_destination: dict[str, Withdrawal] = {}
        self._memory = memory
        self._changes: dict[str, Callable[[Any], None]] = {
            "intent": lambda fields: self._intent(Intent(**fields)),
            "deposit": lambda fields: self._deposit(Deposit(**fields)),
            "withdrawal": lambda fields: self._withdrawal(Withdrawal(**fields)),
            "webhook": lambda fields: self._webhook(Webhook(**fields) if fields else None),
            "delivery": lambda fields: self._delivery(Delivery(**fields)),
            "delivered": lambda number: self._delivered(number),
        }
        for kind, fields in memory.load():
            self._changes[kind](fields)

    def add_intent(self, intent: Intent) -> None:
        self._memory.append("intent", intent.__dict__)
        self._intent(intent)

    def add_deposit(self, deposit: Deposit) -> None:
        self._memory.append("deposit", deposit.__dict__)
        self._deposit(deposit)

    def put_withdrawal(self, withdrawal: Withdrawal) -> None:
        """Add a withdrawal, or note what became of it."""
        self._memory.append("withdrawal", withdrawal.__dict__)
        self._withdrawal(withdrawal)

    def set_webhook(self, webhook: Webhook | None) -> None:
        self._memory.append("webhook", webhook and webhook.__dict__)
        self._webhook(webhook)

    def add_delivery(self, kind: str, object_id: str, state: str) -> Delivery:
        delivery = Delivery(self._last_delivery + 1, kind, object_id, state)
        self._memory.append("delivery", delivery.__dict__)
        self._delivery(delivery)
        return delivery

    def close_delivery(self, number: int) -> None:
        """It was answered 2xx, or nobody is left to send it to."""
        self._memory.append("delivered", number)
        self._delivered(number)

    def find_intent(self, destination: str) -> Intent | None:
        return self._intent_by_destination.get(destination)

    def find_withdrawal(self, destination: str) -> Withdrawal | None:
        """The latest withdrawal to this BOLT11."""
        return self._withdrawal_by_destination.get(destination)

    def is_paid(self, intent: Intent) -> bool:
        return intent.id in self._paid_intents

    @property
    def available_sats(self) -> int:
        """Balance minus holds; holds are PENDING withdrawals (River, account page)."""
        return self.balance_sats - self.held_sats

    def _intent(self, intent: Intent) -> None:
        self.intents.add(intent)
        self._intent_by_destination[intent.destination] = intent

    def _deposit(self, deposit: Deposit) -> None:
        self.deposits.add(deposit)
        self._paid_intents.add(deposit.intent_id)
        self.balance_sats += deposit.amount_sats

    def _withdrawal(self, withdrawal: Withdrawal) -> None:
        hold = withdrawal.amount_sats + withdrawal.fee_limit_sats
        self.held_sats += hold if withdrawal.state == PENDING else -hold
        if withdrawal.state == SUCCESS:
            self.balance_sats -= withdrawal.amount_sats + withdrawal.fee_paid_sats
        self.withdrawals.add(withdrawal)
        self._withdrawal_by_destination[withdrawal.destination] = withdrawal

    def _webhook(self, webhook: Webhook | None) -> None:
        self.webhook = webhook

    def _delivery(self, delivery: Delivery) -> None:
        self.undelivered[delivery.number] = delivery
        self._last_delivery = delivery.number

    def _delivered(self, number: int) -> None:
        self.undelivered.pop(number, None)
