"""Explore grid-shaped networks for dense prediction.

A YAML spec becomes a grid of feature maps; a topology keeps some of its connections; what is left
is counted, drawn, emitted as a PyTorch module, trained and searched.

>>> import gridgen
>>> spec = gridgen.GridSpec(streams=3, columns="2+2", base_channels=8, classes=4)
>>> grid = gridgen.prune(gridgen.build_grid(spec), "unet")
>>> gridgen.count(grid, size=(64, 64)).parameters.total
63990
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # For type checkers, which neither run `__getattr__` nor compute `__all__`: to them an export is
    # what is imported `as` itself. A test compares these imports with the table below.
    # isort: off
    from gridgen.analysis import Count as Count, count as count
    from gridgen.analysis.differences import diff as diff
    from gridgen.analysis.receptive import receptive_field as receptive_field
    from gridgen.analysis.relations import relate as relate
    from gridgen.architectures import load_spec as load_spec
    from gridgen.emit import (
        GridNetwork as GridNetwork,
        load_network as load_network,
        save_network as save_network,
    )
    from gridgen.errors import GridgenError as GridgenError
    from gridgen.grid import (
        Connection as Connection,
        Draft as Draft,
        FeatureMap as FeatureMap,
        Grid as Grid,
        build_grid as build_grid,
        keep as keep,
        prune as prune,
    )
    from gridgen.memory import Memory as Memory, Setting as Setting, count_memory as count_memory
    from gridgen.render import (
        Picture as Picture,
        draw as draw,
        draw_difference as draw_difference,
        draw_paths as draw_paths,
    )
    from gridgen.space import Budget as Budget, feasible as feasible
    from gridgen.spec import DraftSpec as DraftSpec, GridSpec as GridSpec
    from gridgen.study import Study as Study, search as search
    from gridgen.training import (
        Inference as Inference,
        Model as Model,
        Recipe as Recipe,
        Run as Run,
        evaluate as evaluate,
        infer as infer,
        open_model as open_model,
        predict as predict,
        resume as resume,
        train as train,
    )
    # isort: on

__version__ = "0.1.0"

# A module is imported when one of its names is first used: torch, networkx and numpy take seconds
# to import, and most programs use few of the names.
_EXPORTS = {
    "gridgen.analysis": "Count count",
    "gridgen.analysis.differences": "diff",
    "gridgen.analysis.receptive": "receptive_field",
    "gridgen.analysis.relations": "relate",
    "gridgen.architectures": "load_spec",
    "gridgen.emit": "GridNetwork load_network save_network",
    "gridgen.errors": "GridgenError",
    "gridgen.grid": "Connection Draft FeatureMap Grid build_grid keep prune",
    "gridgen.memory": "Memory Setting count_memory",
    "gridgen.render": "Picture draw draw_difference draw_paths",
    "gridgen.space": "Budget feasible",
    "gridgen.spec": "DraftSpec GridSpec",
    "gridgen.study": "Study search",
    "gridgen.training": "Inference Model Recipe Run evaluate infer open_model predict resume train",
}
_MODULES = {name: module for module, names in _EXPORTS.items() for name in names.split()}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'gridgen' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
