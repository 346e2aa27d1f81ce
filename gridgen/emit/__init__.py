"""Emission of a grid: a torch module and its weights file."""

from gridgen.emit.inheriting import Inheritance, inherit, reset_head
from gridgen.emit.models import FeatureMaps, create_model, list_models
from gridgen.emit.network import GridNetwork
from gridgen.emit.weights import load_network, save_network
