"""The package as installed: its version is the workspace's, its types are shipped and true, it imports little."""

import ast
import importlib.resources
import operator
import pathlib
import subprocess
import sys
import tomllib

import pytest
from support import environment, program

import leveret

ROOT = pathlib.Path(__file__).parents[2]


def test_the_version_is_the_workspaces():
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())
    assert leveret.__version__ == workspace["workspace"]["package"]["version"]


def test_types_are_shipped():
    package = importlib.resources.files(leveret)
    assert (package / "py.typed").is_file()
    assert (package / "_native.pyi").is_file()


def test_types_are_those_of_the_module(tmp_path):
    allowed = tmp_path / "allowed"
    # Made of two lists, which type checkers other than mypy add up.
    allowed.write_text("leveret.__all__\n")
    command = [sys.executable, "-m", "mypy.stubtest", "leveret", "--allowlist", str(allowed)]
    paths = {**environment(), "MYPYPATH": environment()["PYTHONPATH"]}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=paths, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_stubs_say_what_the_module_says():
    stub = ast.parse((importlib.resources.files(leveret) / "_native.pyi").read_text())
    said = [(node.name, node) for node in stub.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    for name, node in said[:]:
        parts = node.body if isinstance(node, ast.ClassDef) else []
        said += [(f"{name}.{part.name}", part) for part in parts if isinstance(part, ast.FunctionDef)]
    told = [(name, doc.split()) for name, node in said if (doc := ast.get_docstring(node)) and "private" not in doc]
    assert len(told) > 20
    for name, words in told:
        thing = operator.attrgetter(name)(leveret._native)
        assert thing.__doc__.split() == words, name


def test_all_that_is_promised_is_there():
    for name in leveret.__all__:
        assert getattr(leveret, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        leveret.Klient


@pytest.mark.parametrize("unwanted", ["asyncio", "ssl", "socket", "subprocess", "typing_extensions"])
def test_the_blocking_client_imports_only_what_it_needs(unwanted):
    done = program("""
        import sys, leveret
        leveret.Client("mqtt://127.0.0.1:1").close(timeout=0)
        print(sys.argv[1] in sys.modules)
    """, unwanted)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_every_name_and_every_verb_says_what_it_is():
    for name in leveret.__all__:
        thing = getattr(leveret, name)
        if isinstance(thing, str):
            continue
        assert thing.__doc__, name
        for verb in dir(thing) if isinstance(thing, type) else ():
            part = getattr(thing, verb)
            assert verb.startswith("_") or not callable(part) or part.__doc__, f"{name}.{verb}"
