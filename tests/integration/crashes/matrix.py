"""Every failpoint that a scenario reaches × every way to fail there."""

from collections.abc import Iterator
from dataclasses import dataclass

from msty_invoice.failpoints.plan import Action, Side
from tests.integration.crashes import operating, serving, settling
from tests.integration.crashes.scenario import Scenario

SCENARIOS = (*serving.SCENARIOS, *settling.SCENARIOS, *operating.SCENARIOS)


@dataclass(frozen=True)
class Case:
    """`scenario` fails with `action`, the first time it comes to `side:name`."""

    scenario: Scenario
    side: Side
    name: str
    action: Action

    @property
    def failpoint(self) -> str:
        return f"{self.side}:{self.name}"

    def __str__(self) -> str:
        return f"{self.scenario.name}-{self.failpoint}-{self.action}".replace(" ", "_")


def cases() -> Iterator[Case]:
    for scenario in SCENARIOS:
        for name in scenario.reaches:
            for side in Side:
                for action in Action:
                    if (side, action) != (Side.BEFORE, Action.LOSE):
                        yield Case(scenario, side, name, action)
