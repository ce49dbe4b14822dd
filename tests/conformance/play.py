"""Plays one cell of a scenario through one agent against one broker, and judges each reply; see PROTOCOL.md."""

from __future__ import annotations

import itertools
import re

from agent import Agent, AgentDied
from brokers import PROXIES
from scenario import Scenario

#: Numbers that make names of a run's own: several runs may share one broker.
RUNS = itertools.count(1)


def run_cell(scenario: Scenario, make_broker, variables: dict[str, str], command: list[str], environment) -> str | None:
    """Plays one cell with an agent of its own; returns what went wrong, or None. `make_broker` gets the agent and the variables."""
    agent = Agent(command, environment)
    try:
        problem = play(scenario, make_broker, variables, agent)
    except AgentDied as died:
        problem = str(died)
    status = agent.end()
    if problem is None and status != 0:
        problem = f"the agent ended with status {status}"
    return problem


def play(scenario: Scenario, make_broker, variables: dict[str, str], agent: Agent) -> str | None:
    broker = make_broker(agent, variables)
    proxy = PROXIES[variables["proxy"]]() if "proxy" in variables else None
    url, way = broker.url(variables), broker.way(variables)
    if proxy:
        variables = {**variables, "proxy_url": proxy.address(), "wrong_proxy_url": proxy.address(password="wrong")}
    variables = {**variables, "url": url, "address": url.split("/")[2], "own": f"own{next(RUNS)}", "kilobyte": 1024 * "k"}

    def fill(word: str) -> str:
        return re.sub(r"\$(\w+)", lambda match: variables.get(match[1], match[0]), word)

    try:
        for step in scenario.steps:
            request = [fill(word) for word in step.request]
            if any(goes_to(url, word) for word in request):
                request += way
            if request[0] == "begin":
                agent.begin(request[1:])
                continue
            if request[0] == "kill":
                agent.die()
                continue
            if request[0] == "reply":
                answer = agent.reply()
            else:
                answer = broker.play(request[0], request[1:]) or (proxy and proxy.play(request[0], request[1:])) or agent.ask(request)
            problem = mismatch([fill(word) for word in step.expected], *answer)
            if problem:
                asked = " ".join(request)[:200].replace("\n", " ")
                return f"{step.where}: {asked}: {problem}"
        return None
    finally:
        broker.close()
        if proxy:
            proxy.close()


def goes_to(url: str, word: str) -> bool:
    """Does this argument lead to the broker at this address, be it by another path."""
    name, _, given = word.partition("=")
    return name == "url" and (given == url or given.startswith("ws") and given.split("/")[2] == url.split("/")[2])


def mismatch(expected: list[str], kind: str, pairs: list[tuple[str, str]]) -> str | None:
    """Why the reply is not what was expected; None if it is."""
    if kind != expected[0]:
        return f"the reply is {kind} {dict(pairs)}"
    wanted: dict[str, list[tuple[str, str]]] = {}
    for word in expected[1:]:
        key, operator, value = re.fullmatch(r"(\w+)([=~>])(.*)", word, re.DOTALL).groups()
        if key == "absent":
            if any(name == value for name, _ in pairs):
                return f"{value} occurs in {pairs}"
            continue
        wanted.setdefault(key, []).append((operator, value))
    for key, tests in wanted.items():
        got = [value for name, value in pairs if name == key]
        if len(got) != len(tests):
            return f"{key} occurs {len(got)} times in {pairs}, expected {len(tests)}"
        for (operator, value), actual in zip(tests, got, strict=True):
            good = {
                "=": lambda: actual == value,
                "~": lambda: re.search(value, actual) is not None,
                ">": lambda: float(actual) > float(value),
            }[operator]()
            if not good:
                return f"{key} is {actual!r}, expected {operator} {value!r}"
    return None
