"""The grid: feature maps, connections, layers as data, and the passes over them. No torch."""

from gridgen.grid.architecture import Architecture as Architecture
from gridgen.grid.building import (
    GridLike as GridLike,
    TopologyLike as TopologyLike,
    as_grid as as_grid,
    build_grid as build_grid,
    keep as keep,
    prune as prune,
    require_names as require_names,
)
from gridgen.grid.draft import Draft as Draft
from gridgen.grid.fusions import FUSIONS as FUSIONS
from gridgen.grid.grid import Connection as Connection, FeatureMap as FeatureMap, Grid as Grid
from gridgen.grid.pruning import removed as removed
from gridgen.grid.topologies import TOPOLOGIES as TOPOLOGIES
from gridgen.grid.units import UNITS as UNITS
from gridgen.spec import (
    CustomTopology as CustomTopology,
    DraftSpec as DraftSpec,
    GridSpec as GridSpec,
)
