"""The order of the rooms, what may be imported where, and how long a module may be."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gridgen

# A room may import the rooms before it, and nothing after it.
ROOMS = (
    *(
        "errors",
        "arguments",
        "text",
        "names",
        "files",
        "progress",
        "shown",
        "project",
        "spec",
        "grid",
        "architectures",
        "program",
        "analysis",
        "memory",
        "space",
        "latency",
        "render",
        "figures",
    ),
    *(
        "emit",
        "layouts",
        "images",
        "data",
        "training",
        "export",
        "pages",
        "study",
        "tabular",
        "supernet",
        "registries",
        "testing",
        "cli",
    ),
)
UPWARD = {
    ("grid/grid.py", "gridgen.render.draw"),
    ("spec/gridspec.py", "gridgen.grid.building.build_grid"),
    ("spec/gridspec.py", "gridgen.grid.building.require_names"),
}
"""Imports against the order: notebooks ask grids and specs for pictures, a spec knows its names."""
TORCH_FREE = ROOMS[: ROOMS.index("emit")]
HEAVY = ("torch", "lightning", "optuna", "matplotlib")
MAX_LINES = 300

PACKAGE = Path(gridgen.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def room_of(module: str) -> str:
    """The folder or file of the package that `module` (a path in it) belongs to."""
    room = module.split("/")[0].removesuffix(".py")
    return "cli" if room == "__main__" else room


def imports(tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported, inside functions too."""
    package = ["gridgen", *module.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def faults(text: str, module: str) -> list[str]:
    """What `module` imports against the order of the rooms, one line each."""
    found = []
    room = room_of(module)
    for line, name in imports(ast.parse(text), module):
        first, *rest = name.split(".")
        if first in ("torch", "lightning", "optuna") and room in (*TORCH_FREE, "__init__"):
            found.append(f"gridgen/{module}:{line}: {room} imports {first}; nothing above emit may")
        if first != "gridgen" or not rest or rest[0].startswith("__"):
            continue
        if rest[0] not in ROOMS:
            found.append(f"gridgen/{module}:{line}: {name} is in no room; import it from its own")
        elif (module, name) in UPWARD:
            continue
        elif room in ROOMS and ROOMS.index(rest[0]) > ROOMS.index(room):
            found.append(f"gridgen/{module}:{line}: {room} imports {rest[0]}, which is below it")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_in_a_room(module):
    room = room_of(module)
    assert room in (*ROOMS, "__init__"), f"gridgen/{room} has no place in the order; see ROOMS"


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downward_only(module):
    found = faults((PACKAGE / module).read_text("utf-8"), module)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "text", "fault"),
    [
        ("spec/x.py", "from gridgen.grid import Grid", "1: spec imports grid, which is below it"),
        ("spec/x.py", "import gridgen.cli", "1: spec imports cli, which is below it"),
        (
            "grid/x.py",
            "from gridgen import training",
            "1: grid imports training, which is below it",
        ),
        ("grid/x.py", "from ..data import x", "1: grid imports data, which is below it"),
        (
            "grid/x.py",
            "def f():\n    from gridgen.emit.lowering import lower",
            "2: grid imports emit, which is below it",
        ),
        (
            "render/x.py",
            "def f():\n    import torch.nn",
            "2: render imports torch; nothing above emit may",
        ),
        (
            "training/x.py",
            "from gridgen import GridSpec",
            "1: gridgen.GridSpec is in no room; import it from its own",
        ),
    ],
)
def test_a_forbidden_import_is_found(module, text, fault):
    assert faults(text, module) == [f"gridgen/{module}:{fault}"]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("cli/x.py", "from gridgen.spec import GridSpec\nimport torch"),
        ("grid/x.py", "from gridgen.grid.pruning import keep\nfrom . import prune"),
        ("render/x.py", "from gridgen import __version__\nimport matplotlib"),
        ("__init__.py", "from gridgen.grid import Grid"),
    ],
)
def test_an_allowed_import_is_not_found(module, text):
    assert faults(text, module) == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_300_lines_at_most(module):
    lines = len((PACKAGE / module).read_text("utf-8").splitlines())
    assert lines <= MAX_LINES, f"gridgen/{module} has {lines} lines; {MAX_LINES} at most"


def test_names_in_a_spec_are_checked_whatever_was_imported_before():
    made = "GridSpec(streams=2, columns='1+1', base_channels=4, classes=3, fusion='summ')"
    program = f"""
from gridgen.errors import SpecError
from gridgen.spec import GridSpec
try:
    print({made})
except SpecError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "fusion: unknown fusion 'summ'; did you mean 'sum'?\n", done.stderr


LIGHT = [
    "gridgen",
    *(f"gridgen.{room}" for room in ("spec", "grid", "analysis", "space", "render", "figures")),
]


@pytest.mark.parametrize("name", LIGHT)
def test_a_room_above_the_line_leaves_heavy_packages_alone(name):
    if not (PACKAGE.parent / name.replace(".", "/") / "__init__.py").exists():
        pytest.skip(f"{name} has no __init__.py yet")
    code = f"import sys, {name}; print(*(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [], f"import {name} loads {done.stdout}"
