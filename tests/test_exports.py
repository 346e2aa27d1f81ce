"""The names that `gridgen` exports: one list, for type checkers, `dir` and users."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import gridgen

TABLE = gridgen._MODULES


def test_every_import_of_the_stub_is_an_export_to_a_type_checker():
    stub = ast.parse(Path(gridgen.__file__).with_suffix(".pyi").read_text("utf-8"))
    for node in stub.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.asname == alias.name, f"{alias.name} is no export"


@pytest.mark.parametrize("name", TABLE)
def test_an_export_is_what_its_module_calls_so(name):
    assert getattr(gridgen, name) is getattr(import_module(TABLE[name]), name)


def test_all_and_dir_follow_from_the_table():
    assert gridgen.__all__ == dir(gridgen) == sorted(TABLE)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'gridgen' has no attribute 'nothing'"):
        gridgen.nothing  # noqa: B018 - what is tested


def test_the_import_alone_imports_no_module_of_the_package():
    code = "import sys, gridgen; print(*(name for name in sys.modules if 'gridgen.' in name))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
