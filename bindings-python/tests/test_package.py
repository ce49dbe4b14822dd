"""The package as installed: its version is the workspace's, its types are shipped."""

import importlib.resources
import pathlib
import tomllib

import leveret

ROOT = pathlib.Path(__file__).parents[2]


def test_the_version_is_the_workspaces():
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())
    assert leveret.__version__ == workspace["workspace"]["package"]["version"]


def test_types_are_shipped():
    package = importlib.resources.files(leveret)
    assert (package / "py.typed").is_file()
    assert (package / "_native.pyi").is_file()
