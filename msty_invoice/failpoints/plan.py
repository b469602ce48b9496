"""What MSTY_FAILPOINTS says: where a process is to fail, how, and the how-manieth time."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Of the statement or the call that a failpoint is named after."""

    BEFORE = "before"
    AFTER = "after"


class Action(StrEnum):
    """`cut`: the connections to the database are dead. `lose`: only the answer is lost."""

    KILL = "kill"
    TERM = "term"
    CUT = "cut"
    LOSE = "lose"


@dataclass(frozen=True, slots=True)
class Failpoint:
    """Fires the `nth` time that it is reached, and only then."""

    side: Side
    name: str
    action: Action
    nth: int = 1


_FORM = re.compile(r"(before|after):([^=;]+)=([a-z]+)(?:@([1-9][0-9]{0,5}))?")


def read(value: str) -> tuple[Failpoint, ...]:
    """`SIDE:NAME=ACTION[@N]`, several separated by `;`. Raises `ValueError`."""
    return tuple(_failpoint(part.strip()) for part in value.split(";"))


def _failpoint(text: str) -> Failpoint:
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("is not before:NAME=ACTION[@N] or after:NAME=ACTION[@N]")
    side, name, action, nth = found.groups()
    if action not in tuple(Action):
        raise ValueError(f"has an action other than {', '.join(Action)}")
    if (side, action) == (Side.BEFORE, Action.LOSE):
        raise ValueError("loses an answer before there is one: write after:NAME=lose")
    return Failpoint(Side(side), name, Action(action), int(nth or 1))
