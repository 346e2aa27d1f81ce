"""Explore grid-shaped networks for dense prediction.

A YAML spec becomes a grid of feature maps; a topology keeps some of its connections; what is left
is counted, drawn, emitted as a PyTorch module, trained and searched.

>>> import gridgen
>>> spec = gridgen.GridSpec.of(streams=3, columns="2+2", base_channels=8, classes=4)
>>> grid = gridgen.prune(gridgen.build_grid(spec), "unet")
>>> gridgen.count(grid, size=(64, 64)).parameters.total
63990
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gridgen.analysis import Count, count
from gridgen.architectures import load_spec
from gridgen.errors import GridgenError
from gridgen.grid import Connection, Draft, FeatureMap, Grid, build_grid, keep, prune
from gridgen.spec import DraftSpec, GridSpec

if TYPE_CHECKING:
    from gridgen.analysis.differences import diff
    from gridgen.analysis.receptive import receptive_field
    from gridgen.analysis.relations import relate
    from gridgen.emit import GridNetwork, load_network, save_network
    from gridgen.memory import Memory, Setting, count_memory
    from gridgen.render import Picture, draw, draw_difference, draw_paths
    from gridgen.space import Budget, feasible
    from gridgen.study import Study, search
    from gridgen.training import (
        Inference,
        Model,
        Recipe,
        Run,
        evaluate,
        infer,
        open_model,
        predict,
        resume,
        train,
    )

__version__ = "0.1.0"

# What needs time to import is imported when it is first asked for.
_LATER = {
    "diff": "gridgen.analysis.differences",
    "Memory": "gridgen.memory",
    "Setting": "gridgen.memory",
    "count_memory": "gridgen.memory",
    "receptive_field": "gridgen.analysis.receptive",
    "relate": "gridgen.analysis.relations",
    "Picture": "gridgen.render",
    "draw": "gridgen.render",
    "draw_difference": "gridgen.render",
    "draw_paths": "gridgen.render",
    "Budget": "gridgen.space",
    "feasible": "gridgen.space",
    "GridNetwork": "gridgen.emit",
    "load_network": "gridgen.emit",
    "save_network": "gridgen.emit",
    "Inference": "gridgen.training",
    "Model": "gridgen.training",
    "infer": "gridgen.training",
    "open_model": "gridgen.training",
    "Recipe": "gridgen.training",
    "Run": "gridgen.training",
    "evaluate": "gridgen.training",
    "predict": "gridgen.training",
    "resume": "gridgen.training",
    "train": "gridgen.training",
    "Study": "gridgen.study",
    "search": "gridgen.study",
}

__all__ = [
    "Budget",
    "Connection",
    "Count",
    "Draft",
    "DraftSpec",
    "FeatureMap",
    "Grid",
    "GridNetwork",
    "GridSpec",
    "GridgenError",
    "Inference",
    "Memory",
    "Model",
    "Picture",
    "Recipe",
    "Run",
    "Setting",
    "Study",
    "build_grid",
    "count",
    "count_memory",
    "diff",
    "draw",
    "draw_difference",
    "draw_paths",
    "evaluate",
    "feasible",
    "infer",
    "keep",
    "load_network",
    "load_spec",
    "open_model",
    "predict",
    "prune",
    "receptive_field",
    "relate",
    "resume",
    "save_network",
    "search",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'gridgen' has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
