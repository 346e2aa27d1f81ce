"""Layers as data: each record knows its output shape, parameters and multiply-accumulates.

A layer kind is one record here and one `case` in each lowering (`emit/lower.py`). Records hold no
weights and import no torch. Every record has `parameters` (trainable values), `out(shape)` and
`macs(shape)` at an input shape; every one but the residual block, which is made of others, has
`reach(first, last)`: the first and last input row that the output rows `first`..`last` see.
"""

from gridgen.grid.layers.convolutions import Conv, Deconv
from gridgen.grid.layers.layer import (
    FRESH,
    Cost,
    Layer,
    Layers,
    Residual,
    channels_after,
    cost,
    flat,
    require_equal,
)
from gridgen.grid.layers.pointwise import BatchNorm, GroupNorm, PReLU, ReLU, SiLU
from gridgen.grid.layers.record import WHOLE, Rows, Shape, shape_text
from gridgen.grid.layers.resampling import AveragePool, MaxPool, MaxUnpool, Resize, Upsample

__all__ = [
    "FRESH",
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
    "flat",
    "require_equal",
    "shape_text",
]
