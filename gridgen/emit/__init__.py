"""Emission of a grid: a torch module and its weights file."""

from gridgen.emit.inheriting import (
    Inheritance as Inheritance,
    inherit as inherit,
    reset_head as reset_head,
)
from gridgen.emit.models import (
    FeatureMaps as FeatureMaps,
    create_model as create_model,
    list_models as list_models,
)
from gridgen.emit.network import GridNetwork as GridNetwork
from gridgen.emit.weights import load_network as load_network, save_network as save_network
