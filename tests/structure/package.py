"""The modules of the package, parsed once."""

import ast
from functools import cache
from pathlib import Path

import gridgen

PACKAGE = Path(gridgen.__file__).parent


@cache
def modules(package: Path = PACKAGE) -> dict[str, ast.Module]:
    """The tree of every module by its path in the package, such as `grid/units.py`."""
    return {
        path.relative_to(package).as_posix(): ast.parse(path.read_text("utf-8"))
        for path in sorted(package.rglob("*.py"))
    }


def dotted(module: str) -> str:
    """The name under which a module is imported.

    >>> dotted("grid/units.py"), dotted("grid/__init__.py")
    ('gridgen.grid.units', 'gridgen.grid')
    """
    parts = ["gridgen", *module.removesuffix(".py").split("/")]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
