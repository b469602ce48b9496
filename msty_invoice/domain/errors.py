"""Everything that can go wrong, named in the language of invoices.

These classes know nothing about HTTP: `web/errors.py` pairs each with a status.
Their text is for the log; a client never sees it.
"""


class InvoicingError(Exception):
    """Base class. Never raised directly."""


class InvalidInput(InvoicingError):
    """What the client sent is not an order. `details` maps a field to sentences."""

    def __init__(self, details: dict[str, list[str]]) -> None:
        super().__init__(f"invalid: {sorted(details)}")
        self.details = details


class PayloadTooLarge(InvoicingError):
    """The body is larger than any order can be."""


class UnsupportedMediaType(InvoicingError):
    """The body is not plain JSON in UTF-8."""


class Unauthorized(InvoicingError):
    """No API key, an unknown one, or one that has been revoked."""


class Forbidden(InvoicingError):
    """A publishable key, and the request does not come from a page of its origins."""


class InvoiceNotFound(InvoicingError):
    """No such invoice, or another key's: the two look the same from outside."""


class IdempotencyConflict(InvoicingError):
    """The first request with this idempotency key is still being answered."""


class IdempotencyMismatch(InvoicingError):
    """This idempotency key belongs to another order."""


class ClaimOvertaken(InvoicingError):
    """We took so long over an idempotency key that another request took it over."""


class RateLimited(InvoicingError):
    """Too many requests from one address. `wait_seconds` says when to come back."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"rate limited for {wait_seconds} s")
        self.wait_seconds = wait_seconds


class ProviderError(InvoicingError):
    """A provider did not give what was asked. Never raised directly."""


class ProviderRefused(ProviderError):
    """The provider read the order and said no: asking again will not help."""


class ProviderMisconfigured(ProviderError):
    """The provider does not accept our credentials or account: an operator must act."""


class ProviderUnavailable(ProviderError):
    """The request was not sent, or the answer is no answer: nothing was made."""


class ProviderUnreadable(ProviderUnavailable):
    """It answered about this one thing, and we cannot read what: others may be readable."""


class ProviderUnknown(ProviderError):
    """Sent, and no answer came: it may or may not have happened."""


class UntrustworthyInvoice(ProviderError):
    """The BOLT11 that came back is not what was asked. Never shown to anyone."""


class InvoiceIssuedTwice(ProviderError):
    """The provider gave one payment_hash to two orders. Never shown to the second."""


class StorageUnavailable(InvoicingError):
    """The database did not answer."""


class KeyNameTaken(InvoicingError):
    """Another key already has this name."""


class KeyNotFound(InvoicingError):
    """No key in use has this name."""


class KeyRotatedMeanwhile(InvoicingError):
    """Two people rotated a key at once; the other one has the new secret."""


class WebhookRefused(InvoicingError):
    """A webhook that is not the provider's word. Never raised directly; `kind` is counted."""

    kind = "refused"


class WebhookUnsigned(WebhookRefused):
    """No signature, or none that can be read."""

    kind = "unsigned"


class WebhookForged(WebhookRefused):
    """The signature is of no active secret over these bytes."""

    kind = "forged"


class WebhookStale(WebhookRefused):
    """Signed, but longer ago (or further ahead) than WEBHOOK_MAX_AGE allows."""

    kind = "stale"


class WebhookMisaddressed(WebhookRefused):
    """Not signed, and without the token that stands in the address we gave."""

    kind = "misaddressed"


class DepositNotFound(InvoicingError):
    """No deposit or finding has this reference, or more than one has."""


class NotResolvable(InvoicingError):
    """There is nothing to decide about it, or somebody else has decided otherwise."""


class NotAdoptable(InvoicingError):
    """No invoice can be rebuilt from this deposit."""


class WebhookNotFound(InvoicingError):
    """No webhook has this number."""


class NotPermitted(InvoicingError):
    """The database login of a command may read, and not change, what it is asked to."""
