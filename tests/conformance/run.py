"""Plays the scenarios through one agent per language and prints a table of scenario and language, or of scenario and broker; see PROTOCOL.md."""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import pathlib
import signal
import sys

import interop
import table
from agent import agents
from brokers import INSIDE, PROXIES, REAL
from limits import Judge, read_limits
from play import run_cell
from scenario import Scenario, read_scenarios

HERE = pathlib.Path(__file__).resolve().parent
#: Runs side by side: a scenario mostly waits, and each run has an agent and a broker of its own.
AT_ONCE = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", help="comma-separated, or `all`; default: all, with --brokers rust")
    parser.add_argument("--scenario", default="", help="only scenarios whose name contains this")
    parser.add_argument("--broker", help="comma-separated: embedded, scripted, mosquitto, aedes; default: the first three, and others where a scenario names them")
    parser.add_argument("--brokers", help="the table of real brokers instead: comma-separated, or `all`")
    parser.add_argument("--tap", action="store_true", help="with --brokers: write down every packet, in target/interop/tap")
    arguments = parser.parse_args()
    # An end from outside is to end the brokers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    scenarios = [each for each in read_scenarios(HERE / "scenarios") if arguments.scenario in each.name]
    languages = list(agents()) if arguments.language in (None, "all") else arguments.language.split(",")
    if arguments.brokers:
        brokers = list(REAL) if arguments.brokers == "all" else arguments.brokers.split(",")
        return interop.run(scenarios, brokers, languages if arguments.language else ["rust"], whole=not arguments.scenario, tap=arguments.tap)
    brokers = arguments.broker.split(",") if arguments.broker else [*INSIDE, "mosquitto"]
    # Beside these, a scenario has the real brokers that it names.
    named = [] if arguments.broker else sorted({each for scenario in scenarios for each in scenario.brokers if each in REAL and each not in brokers})
    failures = behaviour(scenarios, brokers, named, languages, whole=not arguments.scenario and arguments.language is None)
    return 1 if failures else 0


def behaviour(scenarios: list[Scenario], brokers: list[str], named: list[str], languages: list[str], *, whole: bool) -> list[str]:
    """Runs every scenario in every language, each run with a broker of its own, and prints the tables; returns what failed."""
    brokers, named = installed(brokers), installed(named)
    proxies = installed(sorted({variables["proxy"] for scenario in scenarios for variables in scenario.cells() if "proxy" in variables}))
    limits = read_limits(HERE / "limits.txt")
    judges = {each: Judge(limits, each, REAL[each].version()) for each in [*brokers, *named] if each in REAL}
    passed, failures = 0, []
    shown = {language: collections.Counter() for language in languages}
    reasons: set[str] = set()
    width = max((len(each.name) for each in scenarios), default=0) + 28
    print(f"{'':{width}} {' '.join(f'{language:12}' for language in languages)}")
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        cells = []
        for scenario in scenarios:
            # What only real brokers are for belongs to their own table.
            shared = scenario.brokers != ["real"]
            against = [each for each in brokers if each in scenario.brokers or (each in REAL and shared and "real" in scenario.brokers)]
            for broker in against + [each for each in named if each in scenario.brokers]:
                for variables in filter((REAL | INSIDE)[broker].offers, scenario.cells()):
                    if variables.get("proxy") not in (None, *proxies):
                        continue
                    there = [language for language in languages if language not in scenario.without]
                    runs = {each: pool.submit(run_cell, scenario, maker(broker), variables, *agents()[each]) for each in there}
                    cells.append((scenario, broker, scenario.cell(variables), runs))
        for scenario, broker, cell, runs in cells:
            name = f"{cell} on {broker}"
            marks = []
            for language in languages:
                if language not in runs:
                    reasons.add(f"{language}: {scenario.name}: not there: {scenario.without[language]}")
                    marks.append("-")
                    continue
                problem = runs[language].result()
                limit = problem and broker in judges and judges[broker].why(cell, problem)
                if limit:
                    reasons.add(f"[{limit.number}] {broker} {judges[broker].version}: {limit.reason}")
                    marks.append(f"[{limit.number}]")
                    continue
                marks.append("ok" if problem is None else "FAILED")
                if problem is None:
                    passed += 1
                    shown[language].update(table.shown(scenario))
                else:
                    failures.append(f"{language}: {name}: {problem}")
            print(f"{name:{width}} {' '.join(f'{mark:12}' for mark in marks)}", flush=True)
    for reason in sorted(reasons):
        print(reason)
    # Of a selection no table can be asked for.
    if whole:
        failures += table.printed(shown, languages)
    for failure in failures:
        print(failure)
    print(f"{passed} passed, {len(failures)} failed")
    return failures if passed else ["nothing was run"]


def installed(names: list[str]) -> list[str]:
    """Those of these brokers and proxies that are here; says which are not."""
    known = REAL | PROXIES
    missing = [each for each in names if each in known and known[each].version() is None]
    for each in missing:
        print(f"skipped: everything against {each}, because it is not installed here")
    return [each for each in names if each not in missing]


def maker(kind: str):
    """How a run gets its broker, given its agent and its variables."""
    return INSIDE[kind] if kind in INSIDE else lambda agent, variables: REAL[kind]()


if __name__ == "__main__":
    sys.exit(main())
