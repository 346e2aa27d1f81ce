"""Layers as data: each record knows its tensors, output shape, costs and rows looked at.

A layer kind is one record here, a member of the union `Layer`, and one `case` in each of two
readers: lowering to PyTorch (`emit/lowering.py`) and what autograd keeps (`memory/layers.py`).
Records hold no weights and import no torch; `Record` says what each of them knows.
"""

from gridgen.grid.layers.convolutions import Conv, Deconv
from gridgen.grid.layers.layer import (
    Cost,
    Layer,
    Layers,
    Residual,
    buffers_of,
    channels_after,
    cost,
    flat,
    hull,
    in_dimensions,
    rows_before,
    tensors_of,
)
from gridgen.grid.layers.pointwise import (
    GELU,
    RGB,
    BatchNorm,
    GroupNorm,
    ImagenetNorm,
    LeakyReLU,
    PReLU,
    ReLU,
    SiLU,
)
from gridgen.grid.layers.record import (
    WHOLE,
    Record,
    Rows,
    Shape,
    Tensors,
    kernel_text,
    require_equal,
    shape_text,
)
from gridgen.grid.layers.resampling import AveragePool, MaxPool, MaxUnpool, Resize, Upsample
