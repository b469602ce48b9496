"""The sandbox answers what River is known to answer, pair by pair."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.sandbox.processes import Sandbox
from tests.wire.pairs import Pair, differences, get_pair, load_pairs


def _register(sandbox: Sandbox) -> None:
    sandbox.register(get_pair("register-the-webhook").body["url"])


# What must have happened before; all else is made for every pair alike.
_BEFORE: dict[str, Callable[[Sandbox], None]] = {
    "register-a-second-webhook": _register,
    "webhook": _register,
    "delete-the-webhook": _register,
}


@pytest.mark.parametrize("pair", load_pairs(), ids=[pair.name for pair in load_pairs()])
def test_the_sandbox_answers_the_pair(pair: Pair, sandbox: Sandbox) -> None:
    pair = pair.filled(**_made_beforehand(sandbox, pair))
    if pair.name in _BEFORE:
        _BEFORE[pair.name](sandbox)

    answer = sandbox.call(
        pair.method,
        pair.path,
        params=pair.query,
        json=pair.body,
        headers={"Authorization": pair.authorization},
        auth=lambda request: request,
    )

    assert answer.status_code == pair.status
    assert differences(pair, answer.json() if answer.content else None) == []


def _made_beforehand(sandbox: Sandbox, pair: Pair) -> dict[str, str]:
    deposit = sandbox.pay(sandbox.create())["deposit"]
    open_intent: Any = sandbox.create()
    made = {"intent": open_intent["id"], "bolt11": open_intent["destination"], "deposit": deposit}
    if pair.name.startswith("withdrawal"):
        withdrawal = sandbox.finished(sandbox.withdraw(open_intent["destination"]))
        made["withdrawal"] = withdrawal["id"]
    return made
