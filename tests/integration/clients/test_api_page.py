"""The commands in docs/api.md, pasted into a shell."""

import json
import os
import re
import subprocess
from pathlib import Path

from tests.integration.running import Service

_PAGE = Path(__file__).parents[3] / "docs/api.md"
_DEADLINE_SECONDS = 30


def _paste(service: Service, command: str, **variables: str) -> str:
    given = {"MSTY_URL": service.url, "MSTY_SECRET_KEY": service.secret_key, **variables}
    done = subprocess.run(
        ["sh", "-euc", command],
        env={"PATH": os.environ["PATH"], **given},
        capture_output=True,
        text=True,
        check=True,
        timeout=_DEADLINE_SECONDS,
    )
    return done.stdout


def test_as_pasted_they_make_an_invoice_and_read_it(service: Service) -> None:
    create, read = re.findall(r"```sh\n(.*?)```", _PAGE.read_text("utf-8"), re.DOTALL)

    made = json.loads(_paste(service, create))
    again = json.loads(_paste(service, create))
    head, _, body = _paste(service, read, PAYMENT_HASH=made["paymentHash"]).partition("\n\n")

    assert made == again
    assert set(made) == set(_shown("paymentRequest", "expiresAt"))
    assert re.search(r"^etag: ", head, re.IGNORECASE | re.MULTILINE)
    assert list(json.loads(body)) == list(_shown("settledAt"))


def _shown(*names: str) -> dict[str, object]:
    """The first example of an answer that has all these names."""
    examples = re.findall(r"```json\n(.*?)```", _PAGE.read_text("utf-8"), re.DOTALL)
    found: dict[str, object] = next(
        example for text in examples if set(names) <= set(example := json.loads(text))
    )
    return found
