"""The names that `gridgen` exports: one table, which type checkers, `dir` and users agree with."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import gridgen

TABLE = {name: module for module, names in gridgen._EXPORTS.items() for name in names.split()}


def checked() -> dict[str, str]:
    """What type checkers see: the imports under `TYPE_CHECKING`, each as an export."""
    tree = ast.parse(Path(gridgen.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    found = {}
    for node in block.body:
        for alias in node.names:
            assert alias.asname == alias.name, f"{alias.name} is no export to a type checker"
            found[alias.name] = node.module
    return found


def test_type_checkers_see_the_table():
    assert checked() == TABLE


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
