"""Layers as data: each record knows its output shape, parameters and multiply-accumulates.

A layer kind is one record here and one `case` in each lowering (`emit/lower.py`). Records hold no
weights and import no torch. Every record has `parameters` (trainable values), `out(shape)`,
`macs(shape)` at an input shape, and `reach(first, last)`: the first and last input row that the
output rows `first`..`last` see.
"""

from gridgen.grid.layers.convolutions import Conv, Deconv
from gridgen.grid.layers.cost import Cost, cost
from gridgen.grid.layers.layer import Layer, Layers, Residual, channels_after, hull, reach
from gridgen.grid.layers.pointwise import BatchNorm, GroupNorm, PReLU, ReLU, SiLU
from gridgen.grid.layers.record import WHOLE, Rows, Shape
from gridgen.grid.layers.resampling import AveragePool, MaxPool, MaxUnpool, Resize, Upsample

__all__ = [
    "WHOLE",
    "AveragePool",
    "BatchNorm",
    "Conv",
    "Cost",
    "Deconv",
    "GroupNorm",
    "Layer",
    "Layers",
    "MaxPool",
    "MaxUnpool",
    "PReLU",
    "ReLU",
    "Residual",
    "Resize",
    "Rows",
    "Shape",
    "SiLU",
    "Upsample",
    "channels_after",
    "cost",
    "hull",
    "reach",
]
