"""Layers as data: each record knows its tensors, output shape, costs and rows looked at.

A layer kind is one record here, a member of the union `Layer`, and one `case` in each of two
readers: its module of PyTorch (`program/modules.py`) and what autograd keeps (`memory/layers.py`).
Records hold no weights and import no torch; `Record` says what each of them knows.
"""

from gridgen.grid.layers.convolutions import Conv as Conv, Deconv as Deconv
from gridgen.grid.layers.layer import (
    Cost as Cost,
    Layer as Layer,
    Layers as Layers,
    Residual as Residual,
    buffers_of as buffers_of,
    channels_after as channels_after,
    cost as cost,
    flat as flat,
    hull as hull,
    in_dimensions as in_dimensions,
    rows_before as rows_before,
    tensors_of as tensors_of,
)
from gridgen.grid.layers.pointwise import (
    GELU as GELU,
    RGB as RGB,
    BatchNorm as BatchNorm,
    GroupNorm as GroupNorm,
    ImagenetNorm as ImagenetNorm,
    LeakyReLU as LeakyReLU,
    PReLU as PReLU,
    ReLU as ReLU,
    SiLU as SiLU,
)
from gridgen.grid.layers.record import (
    WHOLE as WHOLE,
    Record as Record,
    Rows as Rows,
    Shape as Shape,
    Tensors as Tensors,
    kernel_text as kernel_text,
    require_equal as require_equal,
    shape_text as shape_text,
)
from gridgen.grid.layers.resampling import (
    AveragePool as AveragePool,
    MaxPool as MaxPool,
    MaxUnpool as MaxUnpool,
    Resize as Resize,
    Upsample as Upsample,
)
