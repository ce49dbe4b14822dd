"""Runs the four programs on the first screen of the README against the embedded broker; each must print what it promises."""

import io
import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import threading

from leveret.testing import Broker

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("TARGET", ROOT / "target"))
PLACE = TARGET / "readme"
MOST_LINES = 12
ADDRESS = "mqtt://localhost"
PROMISED = {"acknowledged", "doors/front/state closed"}

# What the README leaves out for the reader's sake.
C_FRAME = """#include <stdio.h>
#include <leveret.h>
{functions}
int main(void) {{
{body}
}}
"""
RUST_FRAME = """use futures::StreamExt;
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {{
{body}
    Ok(())
}}
"""


def blocks() -> dict[str, str]:
    """The program of each language: the first fenced block that names it."""
    found: dict[str, str] = {}
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S):
        found.setdefault(language, text)
    return found


def python(text: str) -> list[str]:
    (PLACE / "readme.py").write_text(text)
    return [sys.executable, str(PLACE / "readme.py")]


def js(text: str) -> list[str]:
    # Beside the examples, where `import 'leveret'` finds the package.
    place = ROOT / "examples" / "node_modules" / "readme.mjs"
    place.write_text(text)
    return ["node", str(place)]


def c(text: str) -> list[str]:
    functions, _, body = text.partition("\n\n")
    (PLACE / "readme.c").write_text(C_FRAME.format(functions=functions, body=body))
    built = TARGET / "debug"
    compiler = [os.environ.get("CC", "cc"), "-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include"]
    libraries = [f"-L{built}", "-lleveret", f"-Wl,-rpath,{built}"]
    subprocess.run([*compiler, PLACE / "readme.c", "-o", PLACE / "readme_c", *libraries], check=True)
    return [str(PLACE / "readme_c")]


def rust(text: str) -> list[str]:
    source, program = PLACE / "readme.rs", PLACE / "readme_rust"
    source.write_text(RUST_FRAME.format(body=text))
    libraries = rust_libraries("leveret", "futures", "tokio")
    externs = [word for name, library in libraries.items() for word in ("--extern", f"{name}={library}")]
    subprocess.run(["rustc", "--edition", "2024", source, "-o", program, "-L", f"dependency={TARGET}/debug/deps", *externs], check=True)
    return [str(program)]


def rust_libraries(*names: str) -> dict[str, str]:
    """Where cargo has laid these crates: a package of the reader's own would build all of them once more, with other features."""
    everything = ["--workspace", "--lib", "--bins", "--examples", "--tests"]
    told = subprocess.run(["cargo", "build", *everything, "--quiet", "--message-format=json"], cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, str] = {}
    for message in map(json.loads, told.stdout.splitlines()):
        if message["reason"] != "compiler-artifact" or message["profile"]["test"]:
            continue
        name, library = message["target"]["name"], message["filenames"][0]
        if name in names and library.endswith(".rlib"):
            found[name] = library
    return found


def run(command: list[str]) -> set[str]:
    """Runs on a terminal until all that is promised was printed, then ends its input, as a reader would who tries it."""
    terminal, slave = pty.openpty()
    process = subprocess.Popen(command, stdin=slave, stdout=slave)
    os.close(slave)
    guard = threading.Timer(30, process.kill)
    guard.start()
    printed: set[str] = set()
    with os.fdopen(terminal, "r+b", buffering=0) as terminal_file:
        try:
            for line in io.BufferedReader(terminal_file):
                printed.add(line.decode().strip())
                if printed >= PROMISED:
                    terminal_file.write(b"\n")
        except OSError:
            pass  # that is how a terminal tells that nobody is on the other side any more
    status = process.wait()
    guard.cancel()
    if status != 0:
        sys.exit(f"{command[0]} ended with status {status}, after {sorted(printed)}")
    return printed


def main() -> None:
    PLACE.mkdir(parents=True, exist_ok=True)
    programs = blocks()
    for prepare in (c, python, js, rust):
        language = prepare.__name__
        if language not in programs:
            sys.exit(f"README.md has no block of {language}")
        text = programs[language]
        if len(text.splitlines()) > MOST_LINES or ADDRESS not in text:
            sys.exit(f"README.md: the {language} program has more than {MOST_LINES} lines, or does not connect to {ADDRESS}")
        with Broker() as broker:
            printed = run(prepare(text.replace(ADDRESS, broker.url)))
        if not printed >= PROMISED:
            sys.exit(f"README.md: the {language} program printed {sorted(printed)}, not {sorted(PROMISED)}")
        print(f"ok: the {language} program of the README")


if __name__ == "__main__":
    main()
