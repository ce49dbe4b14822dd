"""The known limits of real brokers, read from limits.txt: which failures they explain, and which of them no longer fail.

A limit explains a failure only where its pattern of cells and its pattern of the failure both match, so that nothing else hides behind it.
"""

from __future__ import annotations

import fnmatch
import pathlib
import re
import shlex
from dataclasses import dataclass, field


@dataclass
class Limit:
    #: By which the table names it: the first of the file is 1.
    number: int
    broker: str
    #: The version on which it was seen.
    version: str
    reason: str
    #: Where the broker's makers say so, or how it was seen on the wire.
    where: str = ""
    #: Pairs of a pattern of cells (as in a shell) and of a regular expression that must be found in what went wrong.
    shows: list[tuple[str, str]] = field(default_factory=list)
    #: A race within the broker: it need not fail each time.
    sometimes: bool = False
    #: What one client does is felt by others: the cells are played one after the other, so that none fails by its neighbour.
    alone: bool = False

    def covers(self, cell: str) -> bool:
        return any(fnmatch.fnmatchcase(cell, pattern) for pattern, _ in self.shows)

    def explains(self, cell: str, problem: str) -> bool:
        return any(fnmatch.fnmatchcase(cell, pattern) and re.search(failure, problem) for pattern, failure in self.shows)


def read_limits(path: pathlib.Path) -> list[Limit]:
    limits: list[Limit] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[0] == "limit":
            limits.append(Limit(len(limits) + 1, *words[1:]))
        elif words[0] == "where":
            limits[-1].where = words[1]
        elif words[0] == "shows":
            limits[-1].shows.append((words[1], words[2]))
        elif words[0] == "sometimes":
            limits[-1].sometimes = True
        elif words[0] == "alone":
            limits[-1].alone = True
        else:
            raise ValueError(f"{path.name}:{number}: there is no {words[0]}")
    return limits


@dataclass
class Verdict:
    """What became of one cell: nothing wrong, a failure that a limit explains, or one that nothing explains."""

    mark: str
    failures: list[str]
    limits: list[Limit]


class Judge:
    """Holds what the cells of one broker did against the limits of that broker."""

    def __init__(self, limits: list[Limit], broker: str, version: str):
        self.limits = [each for each in limits if each.broker == broker]
        self.version = version
        #: What was said of a limit and is no longer so.
        self.stale: list[str] = []
        self.seen: set[int] = set()
        #: Those for which the broker has one cell at a time.
        self.alone = [each for each in self.limits if each.alone]

    def why(self, cell: str, problem: str) -> Limit | None:
        """The limit that explains what went wrong in one language."""
        return next((each for each in self.limits if each.explains(cell, problem)), None)

    def judge(self, cell: str, problems: list[str]) -> Verdict:
        """`problems` are those of all languages that played the cell."""
        why = [self.why(cell, problem) for problem in problems]
        unexplained = [problem for problem, limit in zip(problems, why, strict=True) if limit is None]
        found = list({limit.number: limit for limit in why if limit}.values())
        for limit in [each for each in self.limits if each.covers(cell)]:
            self.seen.add(limit.number)
            if not problems and not limit.sometimes and not any(each is not limit and each.covers(cell) for each in self.limits):
                self.stale.append(f"limit {limit.number} no longer shows: {cell} on {limit.broker} {self.version}: {limit.reason}")
        mark = "FAILED" if unexplained else " ".join(f"[{each.number}]" for each in found) or "ok"
        return Verdict(mark, unexplained, found)

    def idle(self) -> list[str]:
        """Limits that speak of no cell there is."""
        return [f"limit {each.number} of {each.broker} is about no cell there is: {each.reason}" for each in self.limits if each.shows and each.number not in self.seen]
