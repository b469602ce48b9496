"""The calls of River's API that this service makes."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call, named in errors by its method and template.

    `repeatable`: sent twice it does no harm. `single`: a 404 is about the object asked for,
    not about our account.
    """

    method: str
    template: str
    repeatable: bool = True
    single: bool = False

    def path(self, account_id: str, object_id: str = "") -> str:
        """The path, both ids quoted so that neither can leave its segment."""
        return self.template.format(
            account=quote(account_id, safe=""), id=quote(object_id, safe="")
        )

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


_ACCOUNT = "/accounts/{account}"

PING = Endpoint("GET", "/")
ACCOUNT = Endpoint("GET", _ACCOUNT)
# Sent twice it makes two invoices; the first is shown to nobody and expires.
CREATE_INTENT = Endpoint("POST", _ACCOUNT + "/deposit_intents")
DEPOSIT = Endpoint("GET", _ACCOUNT + "/deposits/{id}", single=True)
DEPOSITS = Endpoint("GET", _ACCOUNT + "/deposits")
# Sent twice it is refused the second time, and the secret in the first answer is lost.
REGISTER_WEBHOOK = Endpoint("POST", _ACCOUNT + "/webhooks", repeatable=False)
WEBHOOK = Endpoint("GET", _ACCOUNT + "/webhooks", single=True)
DELETE_WEBHOOK = Endpoint("DELETE", _ACCOUNT + "/webhooks", single=True)
