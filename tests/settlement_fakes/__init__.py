"""Stand-ins for the stores of settlement; tests/storage/settlement runs on them and the real ones.

They share their `MemoryInvoices` and their `Clock`, so one test sees one set of books.
"""

from tests.settlement_fakes.cursors import KeptCursor, MemoryCursors
from tests.settlement_fakes.deposits import JudgedDeposit, MemoryDeposits, OpenDeposit
from tests.settlement_fakes.webhooks import KeptEvent, MemoryWebhooks

__all__ = [
    "JudgedDeposit",
    "KeptCursor",
    "KeptEvent",
    "MemoryCursors",
    "MemoryDeposits",
    "MemoryWebhooks",
    "OpenDeposit",
]
