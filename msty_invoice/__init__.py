"""Lightning invoices over HTTP: one endpoint, a plain VM, money that is never lost."""

__version__ = "0.1.0"
