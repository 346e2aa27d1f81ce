"""The setting in which memory is counted: batch, precision, optimizer, recomputation."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gridgen.program import Recompute
from gridgen.spec import Document

PrecisionField = Annotated[
    Literal["fp32", "bf16", "fp16"],
    Field(description="bf16 and fp16 compute under autocast; weights stay fp32."),
]
OptimizerField = Annotated[
    Literal["sgd", "adam", "adamw"],
    Field(description="sgd keeps one value for each parameter (its momentum), adam and adamw two."),
]
RecomputeField = Annotated[
    Recompute,
    Field(
        description="What is computed again in the backward pass instead of being kept: the inside "
        "of every unit, or of every column."
    ),
]
CROSS_ENTROPY = "cross-entropy"
LossField = Annotated[
    tuple[str, ...],
    Field(
        min_length=1,
        strict=False,
        description="Losses that are added up; those that are not known by name need what "
        "cross-entropy does.",
    ),
]
FP32, INT64 = 4, 8
"""Bytes of a value of that type."""
WIDTH = {"fp32": 4, "bf16": 2, "fp16": 2}
"""Bytes of a value that a convolution computes."""
MOMENTS = {"sgd": 1, "adam": 2, "adamw": 2}
"""Values that an optimizer keeps for each parameter."""


class Setting(Document):
    """The choices of a training step that change its memory, beside the network.

    >>> Setting(batch=4, precision="bf16").optimizer
    'adam'
    """

    kind: ClassVar[str] = "setting"

    batch: int = Field(default=1, ge=1, le=65536, description="Images in one step.")
    precision: PrecisionField = "fp32"
    optimizer: OptimizerField = "adam"
    fused: bool = Field(default=True, description="Whether one kernel updates all parameters.")
    averaged: bool = Field(
        default=False, description="Whether averaged weights are kept too, as a recipe's ema does."
    )
    recompute: RecomputeField = "none"
    loss: LossField = (CROSS_ENTROPY,)
    smoothed: bool = Field(default=False, description="Whether labels are smoothed.")
    device: Literal["cuda", "cpu"] = Field(
        default="cuda", description="Autocast leaves other layers in fp32 on a CPU than on a GPU."
    )
