"""The table of real brokers: every scenario that says `broker real`, against each of them in turn, with their known limits beside it."""

from __future__ import annotations

import concurrent.futures
import pathlib
import time

from agent import agents
from brokers import REAL
from brokers.server import INTEROP, Borrowed
from limits import Judge, Limit, read_limits
from play import run_cell
from scenario import Scenario

HERE = pathlib.Path(__file__).resolve().parent
#: Runs side by side on one broker: they mostly wait, and each has names of its own.
AT_ONCE = 8

#: The scenario that goes first: what it shows to be missing in a broker is not tried again.
GATE = "each_version_is_spoken"

#: A cell as the table names it, the scenario and the values of its matrix.
Cell = tuple[str, Scenario, dict[str, str]]


def run(scenarios: list[Scenario], brokers: list[str], languages: list[str], *, whole: bool, tap: bool) -> int:
    """Plays all cells on one broker after the other and prints broker × cell; the status is 1 for a failure that no limit explains."""
    cells = [
        (scenario.cell(variables), scenario, variables)
        for scenario in scenarios
        if "real" in scenario.brokers
        for variables in scenario.cells()
    ]
    limits = read_limits(HERE / "limits.txt")
    marks: dict[str, dict[str, str]] = {}
    used: dict[int, Limit] = {}
    wrong, versions = [], {}
    for broker in brokers:
        version = REAL[broker].version()
        if version is None:
            print(f"skipped: everything against {broker}, because it is not installed here")
            continue
        versions[broker], judge, began = version, Judge(limits, broker, version), time.monotonic()
        marks[broker] = {}
        used |= {each.number: each for each in judge.alone}
        for name, problems in played(REAL[broker], cells, languages, tap, 1 if judge.alone else AT_ONCE).items():
            verdict = judge.judge(name, problems)
            marks[broker][name] = verdict.mark
            used |= {each.number: each for each in verdict.limits}
            wrong += [f"{broker} {version}: {name}: {failure}" for failure in verdict.failures]
        wrong += judge.stale + (judge.idle() if whole else [])
        print(f"{broker} {version}: {len(cells)} cells in {time.monotonic() - began:.0f} s, played by {', '.join(languages)}", flush=True)
    printed(cells, marks, versions)
    explained([used[number] for number in sorted(used)], versions)
    for failure in wrong:
        print(failure)
    counts = [mark for column in marks.values() for mark in column.values()]
    print(f"{counts.count('ok')} ok, {len(counts) - counts.count('ok') - counts.count('FAILED')} explained, {len(wrong)} wrong")
    return 1 if wrong or not counts else 0


def played(kind, cells: list[Cell], languages: list[str], tap: bool, at_once: int) -> dict[str, list[str]]:
    """What went wrong in each cell, on one broker of this kind: first those that leave it alone, side by side, then those that stop it."""
    server = kind()
    records = INTEROP / "tap" / server.name
    records.mkdir(parents=True, exist_ok=True)
    problems: dict[str, list[str]] = {name: [] for name, _, _ in cells}

    def play(cell: Cell) -> None:
        name, scenario, variables = cell
        refused = problems.get(f"{GATE} version={variables.get('version')}")
        if refused and scenario.name != GATE:
            problems[name] = [f"not played: {problem}" for problem in refused]
            return
        for language in [each for each in languages if each not in scenario.without]:
            record = records / f"{name.replace('/', '-')} {language}.txt" if tap else None
            problem = run_cell(scenario, lambda agent, variables: Borrowed(server, record), variables, *agents()[language])
            problems[name] += [f"{language}: {problem}"] if problem else []

    first = [cell for cell in cells if cell[1].name == GATE]
    moving = [cell for cell in cells if cell[1].moves_the_broker()]
    try:
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            list(pool.map(play, first))
            list(pool.map(play, [cell for cell in cells if cell not in first and cell not in moving]))
        for cell in moving:
            play(cell)
    finally:
        # What a broker says of itself beside the packets.
        server.close(records / "log.txt" if tap else None)
    return problems


def printed(cells: list[Cell], marks: dict[str, dict[str, str]], versions: dict[str, str]) -> None:
    width = max((len(name) for name, _, _ in cells), default=0) + 1
    columns = {broker: max(len(broker), len(version), 6) + 1 for broker, version in versions.items()}
    print(f"\n{'':{width}} {' '.join(f'{broker:{columns[broker]}}' for broker in marks)}".rstrip())
    print(f"{'':{width}} {' '.join(f'{versions[broker]:{columns[broker]}}' for broker in marks)}".rstrip())
    for name, _, _ in cells:
        print(f"{name:{width}} {' '.join(f'{marks[broker][name]:{columns[broker]}}' for broker in marks)}".rstrip())
    print()


def explained(limits: list[Limit], versions: dict[str, str]) -> None:
    """The reasons beside the table; a number in brackets is the place in limits.txt."""
    for limit in limits:
        here = versions[limit.broker]
        other = "" if here == limit.version else f" (seen on {limit.version})"
        print(f"[{limit.number}] {limit.broker} {here}{other}: {limit.reason}\n     {limit.where}")
