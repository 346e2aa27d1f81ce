"""The grid: feature maps, connections, layers as data, and the passes over them. No torch."""

from gridgen.grid.architecture import Architecture
from gridgen.grid.building import (
    GridLike,
    TopologyLike,
    as_grid,
    build_grid,
    keep,
    prune,
    require_names,
)
from gridgen.grid.draft import Draft
from gridgen.grid.fusions import FUSIONS
from gridgen.grid.grid import Connection, FeatureMap, Grid
from gridgen.grid.pruning import removed
from gridgen.grid.topologies import TOPOLOGIES
from gridgen.grid.units import UNITS
from gridgen.spec import CustomTopology, DraftSpec, GridSpec
