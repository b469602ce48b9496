"""Reads river.json: what River is known to be asked and to answer, written by hand."""

import base64
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_DOCUMENT = json.loads((Path(__file__).parent / "river.json").read_text(encoding="utf-8"))

ACCOUNT_ID: str = _DOCUMENT["account"]
API_KEY: str = _DOCUMENT["api_key"]
AUTHORIZATION = "Basic " + base64.b64encode(f"{API_KEY}:".encode()).decode()


@dataclass(frozen=True)
class Pair:
    """A request and its answer. `authorization` is None where none is sent.

    `empty` says that the answer has no body; without it, an `answer` of None is anything.
    `varies` are paths into the answer, such as `deposits.0.id`, where only the form counts.
    """

    name: str
    method: str
    path: str
    query: dict[str, str]
    body: Any
    authorization: str | None
    status: int
    answer: Any
    empty: bool
    varies: frozenset[str]

    def filled(self, **values: str) -> "Pair":
        """The pair with `{intent}`, `{deposit}`, `{withdrawal}` or `{bolt11}` put in."""
        return replace(
            self,
            path=_fill(self.path, values),
            body=_fill(self.body, values),
            answer=_fill(self.answer, values),
        )


def load_pairs() -> list[Pair]:
    """Every pair, in the order in which they tell a story."""
    return [_read(pair) for pair in _DOCUMENT["pairs"]]


def get_pair(name: str) -> Pair:
    return next(pair for pair in load_pairs() if pair.name == name)


def matches(pair: Pair, body: Any) -> bool:
    """Whether a body is what the pair says. Pass parsed JSON, or None for an empty body."""
    return not differences(pair, body)


def differences(pair: Pair, body: Any) -> list[str]:
    """A sentence for each place where a body is not what the pair says."""
    if pair.empty:
        return [] if body is None else ["there should be no body"]
    return [] if pair.answer is None else _compare(pair.answer, body, "", pair.varies)


def _read(pair: dict[str, Any]) -> Pair:
    request, response = pair["request"], pair["response"]
    return Pair(
        name=pair["name"],
        method=request["method"],
        path=request["path"],
        query=request.get("query", {}),
        body=request.get("body"),
        authorization=request.get("authorization", AUTHORIZATION),
        status=response["status"],
        answer=response.get("body"),
        empty=response.get("empty", False),
        varies=frozenset(response.get("varies", ())),
    )


def _fill(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, values) for inner in value]
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], m[0]), value)
    return value


def _compare(wanted: Any, found: Any, path: str, varies: frozenset[str]) -> list[str]:
    if path in varies:
        return [] if _same_form(wanted, found) else [f"{path}: {found!r} is not like {wanted!r}"]
    if type(wanted) is not type(found):
        return [f"{path}: {found!r} is not {wanted!r}"]
    if isinstance(wanted, dict):
        if wanted.keys() != found.keys():
            return [f"{path}: fields {sorted(found)} are not {sorted(wanted)}"]
        return _compare_all(wanted, found, wanted.keys(), path, varies)
    if isinstance(wanted, list):
        if len(wanted) != len(found):
            return [f"{path}: {len(found)} entries are not {len(wanted)}"]
        return _compare_all(wanted, found, range(len(wanted)), path, varies)
    return [] if wanted == found else [f"{path}: {found!r} is not {wanted!r}"]


def _compare_all(
    wanted: Any, found: Any, keys: Any, path: str, varies: frozenset[str]
) -> list[str]:
    return [
        difference
        for key in keys
        for difference in _compare(wanted[key], found[key], f"{path}.{key}".lstrip("."), varies)
    ]


def _same_form(wanted: Any, found: Any) -> bool:
    """An integer of as many digits, 64 hex digits, a BOLT11 of the same amount, or a text."""
    if type(wanted) is not type(found):
        return False
    if isinstance(wanted, int):
        return len(str(wanted)) == len(str(found))
    if re.fullmatch(r"[0-9a-f]{64}", wanted):
        return re.fullmatch(r"[0-9a-f]{64}", found) is not None
    if wanted.startswith("ln"):
        return bool(found.startswith(wanted.removesuffix("EXAMPLE")))
    return bool(found)
