"""Explore grid-shaped networks for dense prediction.

A YAML spec becomes a grid of feature maps; a topology keeps some of its connections; what is left
is counted, drawn, emitted as a PyTorch module, trained and searched.

>>> import gridgen
>>> spec = gridgen.GridSpec(streams=3, columns="2+2", base_channels=8, classes=4)
>>> grid = gridgen.prune(spec, "unet")
>>> gridgen.count(grid, size=(64, 64)).parameters.total
63990
"""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"


def _exports() -> dict[str, str]:
    """The module of each exported name. The one list of them is the stub, for type checkers too."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text("utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


_MODULES = _exports()

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    # A module is imported when one of its names is first used: torch, networkx and numpy take
    # seconds to import, and most programs use few of the names.
    if name not in _MODULES:
        raise AttributeError(f"module 'gridgen' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
