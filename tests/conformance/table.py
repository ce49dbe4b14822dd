"""The table of the suite: every verb, option, outcome, error and event in every language, and what is missing from it.

Rows come from `rows.txt` (printed from the library's own tables) and `verbs.txt` (by hand, compared here with what each language
really exports). A cell is filled by a scenario that passed in that language, or by a line of `elsewhere.txt` that names a test.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
import inspect
import pathlib
import re
import shlex
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

Row = tuple[str, ...]

#: Which request says which kind of option.
OPTIONS = {"connect": "client", "publish": "publish", "publish_many": "publish", "subscribe": "subscribe", "declare": "subscribe"}
#: Arguments of those requests that are no options.
NO_OPTIONS = {"client", "url", "receipt", "payload", "size", "count", "prefix", "topic", "filter", "handler"}


def rows() -> list[Row]:
    printed = [tuple(line.split()) for line in lines(HERE / "rows.txt")]
    return [("verb", verb) for verb in verbs()] + printed


def lines(path: pathlib.Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]


# --- what the scenarios show ----------------------------------------------------------------------------------------


def shown(scenario) -> set[Row]:
    """The rows that a passed run of this scenario shows to work."""
    found: set[Row] = {tuple(words) for words in scenario.covers}
    for step in scenario.steps:
        request = step.request[1:] if step.request[0] == "begin" else step.request
        verb, arguments = request[0], [word.split("=", 1)[0] for word in request[1:] if "=" in word]
        found.add(("verb", verb))
        # What a function says before an attempt to connect.
        found |= {("option", "connect", name.removeprefix("said_")) for name in arguments if name.startswith("said_")}
        for name in arguments if verb in OPTIONS and not scenario.unseen else []:
            # In a burst of errors a refused option shows nothing but its refusal, which is a row of its own.
            if name not in NO_OPTIONS and step.expected[0] != "error":
                found.add(("option", OPTIONS[verb], name))
        kind = next((word[len("kind=") :] for word in request if word.startswith("kind=")), None)
        for word in step.expected:
            key, _, value = word.partition("=")
            if verb == "events" and key == "event":
                found.add(("event", kind, value))
            elif key == "status" and verb in ("outcome", "raise"):
                found.add(("outcome", value))
            elif key in ("kind", "error"):
                found.add(("error", value))
    return found


def elsewhere() -> tuple[dict[tuple[Row, str], str], list[str]]:
    """Cells filled by tests outside the suite, `test` or the reason why there can be none; and what is wrong with the list."""
    cells, wrong = {}, []
    for line in lines(HERE / "elsewhere.txt"):
        row, language, *proof = shlex.split(line)
        if proof[0] == "-":
            cells[tuple(row.split()), language] = f"- {proof[1]}"
            continue
        path, name = ROOT / proof[0], proof[1]
        if not path.exists() or name not in path.read_text():
            wrong.append(f"elsewhere.txt: there is no {name} in {proof[0]}, which {language} names for {row!r}")
        cells[tuple(row.split()), language] = "test"
    return cells, wrong


# --- what each language exports -------------------------------------------------------------------------------------


def verbs() -> dict[str, dict[str, list[str]]]:
    """Verb → language → public names."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in lines(HERE / "verbs.txt"):
        first, *names = line.split()
        if line.startswith(" "):
            current[first] = names
        elif first == "verb":
            current = found.setdefault(names[0], {})
        else:
            current = {}
    return found


def named() -> dict[str, set[str]]:
    """Language → every public name that `verbs.txt` knows, verbs and what stands apart."""
    found: dict[str, set[str]] = collections.defaultdict(set)
    for line in lines(HERE / "verbs.txt"):
        if line.startswith(" "):
            language, *names = line.split()
            found[language].update(names)
    return found


def exported() -> dict[str, set[str]]:
    """Language → the names of every public function and method, as the language itself has them."""
    return {"rust": rust(), "c": c(), "python": python(), "node": node()}


def c() -> set[str]:
    text = (ROOT / "include" / "leveret.h").read_text()
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return set(re.findall(r"\b(mqtt_\w+)\(", code)) - {"mqtt_client_stats_sized"}


def rust() -> set[str]:
    found = set()
    for name in ("client", "letter", "request", "response", "serve", "hooks", "message", "receipt", "subscription", "events", "runtime"):
        text = (ROOT / "core" / "src" / f"{name}.rs").read_text()
        of = ""
        for line in text.splitlines():
            if block := re.match(r"impl(?:<[^>]*>)? (?:[\w:]+(?:<[^>]*>)? for )?(\w+)", line):
                of = f"{block[1]}::"
            elif line == "}":
                of = ""
            elif function := re.match(r"\s*pub (?:async )?fn (\w+)", line):
                found.add(of + function[1])
    return found


def python() -> set[str]:
    import leveret

    found = set()
    for name in leveret.__all__:
        value = getattr(leveret, name)
        if inspect.isclass(value):
            # Errors, names and plain values have fields, and no verbs.
            if issubclass(value, (BaseException, int, enum.Enum)) or dataclasses.is_dataclass(value):
                continue
            bases = set(dir(str)) if issubclass(value, str) else set()
            found |= {f"{name}.{member}" for member in dir(value) if not member.startswith("_") and member not in bases}
        elif callable(value):
            found.add(name)
    return found


def node() -> set[str]:
    program = """
const exported = require('./bindings-node/index.cjs')
const base = new Set(Object.getOwnPropertyNames(require('node:events').EventEmitter.prototype))
for (const [name, value] of Object.entries(exported)) {
  if (typeof value !== 'function') continue
  if (!/^[A-Z]/.test(name)) { console.log(name); continue }
  for (const member of Object.getOwnPropertyNames(value.prototype)) {
    if (member !== 'constructor' && !member.startsWith('_') && !base.has(member)) console.log(`${name}.${member}`)
  }
}
process.exit(0)
"""
    run = subprocess.run(["node", "-e", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return set(run.stdout.split())


def drift() -> list[str]:
    """Names that a language exports and verbs.txt does not know, or the other way round."""
    wrong = []
    known = named()
    for language, names in exported().items():
        wrong += [f"verbs.txt: {language} exports {name}, which stands nowhere" for name in sorted(names - known[language])]
        wrong += [f"verbs.txt: {language} does not export {name}" for name in sorted(known[language] - names)]
    return wrong


# --- the table ------------------------------------------------------------------------------------------------------


def printed(passed: dict[str, collections.Counter], languages: list[str]) -> list[str]:
    """Prints row × language (the number of runs that show it) and returns what is wrong: holes and drift."""
    cells, wrong = elsewhere()
    table = rows()
    known = set(table)
    width = max(len(" ".join(row)) for row in table) + 2
    reasons = []
    print(f"\n{'':{width}} {' '.join(f'{language:12}' for language in languages)}")
    for row in table:
        marks = []
        for language in languages:
            count = passed[language][row]
            # asyncio is the same package: what stands elsewhere for Python holds for both faces.
            proof = cells.get((row, language)) or cells.get((row, language.removesuffix("_async")), "HOLE")
            marks.append(str(count) if count else proof.split()[0])
            if not count and proof == "HOLE":
                wrong.append(f"no row shows {' '.join(row)} in {language}")
            elif not count and proof.startswith("- "):
                reasons.append(f"{' '.join(row)}, {language}: {proof[2:]}")
        print(f"{' '.join(row):{width}} {' '.join(f'{mark:12}' for mark in marks)}")
    wrong += [f"elsewhere.txt names {' '.join(row)}, which is no row" for row, _ in cells if row not in known]
    print(*reasons, sep="\n")
    return wrong + drift()
