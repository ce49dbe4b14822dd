"""Tries the installed wheel as a user would: its tags and contents, programs, types, the pytest plugin. Run by package-python.sh."""

import importlib.metadata
import importlib.resources
import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import zipfile

HERE = pathlib.Path.cwd()
WHEEL = pathlib.Path(sys.argv[1])
TEST = """
import leveret

def test_letters_arrive(mqtt_broker):
    with leveret.Client(mqtt_broker.url) as client:
        client.publish("a", "x").wait(timeout=20).raise_for_status()
    assert mqtt_broker.received[0].payload == b"x"
"""


def run(*command: str, expected: str | None = None) -> str:
    """Runs a command of the installed environment; it must succeed and, where something is expected, print just that."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0 or (expected is not None and done.stdout != expected):
        sys.exit(f"{' '.join(command)} ended with {done.returncode} and printed\n{done.stdout}{done.stderr}")
    return done.stdout


def check(claim: str, true: object) -> None:
    if not true:
        sys.exit(f"not ok: {claim}")
    print(f"ok: {claim}")


def main() -> None:
    import leveret

    place = pathlib.Path(leveret.__file__).parent
    check("it is the wheel that is tried", place.is_relative_to(sysconfig.get_path("purelib")) and HERE in place.parents)
    names = zipfile.ZipFile(WHEEL).namelist()
    libraries = [name for name in names if ".so" in name]
    check(f"{WHEEL.name} is for every Python from 3.11 on, on Linux", re.search(r"-cp311-abi3-(many|musl)linux_\d+_\d+_\w+\.whl$", WHEEL.name))
    check("it holds one library, of the limited API, and no copies of others", libraries == ["leveret/_native.abi3.so"])
    check("its types are in it", {"leveret/py.typed", "leveret/_native.pyi"} <= {*names})
    check("its licences are in it", sum("LICENSE" in name for name in names) == 2)
    check("it needs no other package", importlib.metadata.requires("leveret") is None)
    check("its page is its own README", "pip install leveret" in importlib.metadata.metadata("leveret").get_payload())

    expected = (HERE / "demo" / "expected.txt").read_text()
    for program in ("demo.py", "demo_async.py"):
        run(sys.executable, f"demo/{program}", expected=expected)
        print(f"ok: {program}")
    run(sys.executable, "-W", "error", "typed/program.py", expected="acknowledged acknowledged\n")
    print("ok: typed/program.py")

    (HERE / "test_plugin.py").write_text(TEST)
    check("pytest finds the fixture mqtt_broker", "1 passed" in run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_plugin.py"))
    cache = str(HERE / "mypy")
    for program in ("typed/program.py", "python/quickstart.py", "python/consumers.py", "python/worker.py"):
        run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, program)
        print(f"ok: mypy --strict {program}")
    pyright = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    check("pyright reads typed/program.py", "0 errors" in run(*pyright, "typed/program.py"))
    # This one looks for the package with the first `python` on the path.
    complete = run(sys.executable, "-m", "pyright", "--verifytypes", "leveret", "--ignoreexternal")
    check("all that is public has a type, says pyright", "Type completeness score: 100%" in complete)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    os.environ["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    main()
