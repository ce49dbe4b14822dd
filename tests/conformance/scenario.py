"""What a scenario file says: scenarios, their steps, and the cells of their matrices; see PROTOCOL.md."""

from __future__ import annotations

import itertools
import pathlib
import shlex
from dataclasses import dataclass, field

#: Verbs that act on the broker in turn, so that no other run may use it meanwhile.
MOVES = ("stop", "start", "restart")


@dataclass
class Step:
    where: str
    request: list[str]
    expected: list[str]


@dataclass
class Scenario:
    name: str
    brokers: list[str] = field(default_factory=lambda: ["embedded"])
    matrix: dict[str, list[str]] = field(default_factory=dict)
    #: Languages in which it cannot be said, with the reason.
    without: dict[str, str] = field(default_factory=dict)
    #: Rows of the table that it shows without naming them in a request or an answer.
    covers: list[list[str]] = field(default_factory=list)
    #: The options that its requests name do nothing that it could show.
    unseen: bool = False
    steps: list[Step] = field(default_factory=list)

    def cells(self):
        """Every combination of matrix values, as the variables it sets."""
        for values in itertools.product(*self.matrix.values()):
            variables: dict[str, str] = {}
            for keys, value in zip(self.matrix, values, strict=True):
                # `matrix qos,answer=1/PUBACK,2/PUBREC` moves two variables together.
                together = keys.split(",")
                variables |= zip(together, value.split("/") if len(together) > 1 else [value], strict=True)
            yield variables

    def cell(self, variables: dict[str, str]) -> str:
        """How a table names one of them."""
        return " ".join([self.name, *(f"{key}={value}" for key, value in variables.items())])

    def moves_the_broker(self) -> bool:
        return any(step.request[0] in MOVES for step in self.steps)


def read_scenarios(folder: pathlib.Path) -> list[Scenario]:
    scenarios: list[Scenario] = []
    for path in sorted(folder.glob("*.txt")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            request, _, expected = line.partition(" => ")
            words = shlex.split(request)
            if words[0] == "scenario":
                scenarios.append(Scenario(words[1]))
            elif words[0] == "broker":
                scenarios[-1].brokers = words[1:]
            elif words[0] == "without":
                scenarios[-1].without[words[1]] = words[2]
            elif words[0] == "covers":
                scenarios[-1].covers.append(words[1:])
            elif words[0] == "unseen":
                scenarios[-1].unseen = True
            elif words[0] == "matrix":
                for word in words[1:]:
                    key, _, values = word.partition("=")
                    scenarios[-1].matrix[key] = values.split(",")
            else:
                step = Step(f"{path.name}:{number}", words, shlex.split(expected) or ["ok"])
                scenarios[-1].steps.append(step)
    return scenarios


