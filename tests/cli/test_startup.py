"""Commands that compute nothing answer at once: what takes seconds to import is left alone."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "torchmetrics", "lightning", "optuna", "sqlalchemy", "matplotlib", "pandas")
LIGHT = (*HEAVY, "networkx", "numpy")
MOST_MODULES = 450
"""Python's own, pydantic's and typer's are about 280, ours at most 95."""
PROGRAM = """
import sys
from gridgen.cli.app import run
code = run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""


def modules_after(*arguments: str) -> list[str]:
    """All modules that the program has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    return done.stderr.split()


@pytest.mark.parametrize(
    "command",
    [
        "render mine.yaml",
        "render mine.yaml --as unet -o grid.dot",
        "count mine.yaml",
        "count mine.yaml --json",
        "count mine.yaml --batch 4",
        "paths mine.yaml",
        "lint mine.yaml",
        "render mine.yaml --paths -o grid.dot",
        "list topologies",
        "list units",
        "list fusions",
        "list stems",
        "list heads",
        "schema",
        "schema spec",
        "--help",
        "train --help",
    ],
)
def test_it_imports_nothing_heavy(command, place):
    assert set(HEAVY).isdisjoint(modules_after(*command.split()))


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "train --help",
        "search --help",
        "list topologies",
        "list units",
        "list fusions",
        "list stems",
        "list heads",
        "list architectures",
        "list lints",
        "schema spec",
    ],
)
def test_names_and_help_need_no_graphs_and_no_arrays(command, place):
    modules = modules_after(*command.split())
    assert set(LIGHT).isdisjoint(modules)
    assert len(modules) < MOST_MODULES


def test_a_command_that_needs_torch_imports_it(place):
    assert "torch" in modules_after("build", "mine.yaml")
