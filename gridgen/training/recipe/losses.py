"""Losses: what a training minimizes.

To add one, write a class, enter it in `LOSSES`, and name it in `losses` of each task whose labels
it can compare.

All are computed in fp32, because bf16 has too few digits for a sum over a million pixels. Where
several processes share a batch, a loss is that of the whole batch.
"""

from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

import torch
from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
)
from pydantic_core import CoreSchema, core_schema
from torch import Tensor
from torch.nn.functional import cross_entropy

from gridgen.data import IGNORE
from gridgen.errors import SpecError
from gridgen.training.processes import devices
from gridgen.training.recipe.sections import Section, one_of

# The distance at which a Charbonnier loss begins to be round.
EPSILON = 1e-3
# The least value of 1 - p in a focal loss: where gamma < 1, the gradient at 0 would be infinite.
LEAST_DOUBT = 1e-12


class Truth(NamedTuple):
    """What a batch should have been predicted as, and how much each part of it counts.

    Attributes:
        labels: class ids (N, ...), or images of the prediction's shape.
        weights: how much each class counts, (K,); without them all count alike.
        smoothing: label smoothing, the share of each label that is spread evenly over all classes.
    """

    labels: Tensor
    weights: Tensor | None = None
    smoothing: float = 0.0

    @property
    def labelled(self) -> Tensor:
        """True at each pixel that has a class, False where it is ignored."""
        return self.labels != IGNORE

    @property
    def ids(self) -> Tensor:
        """The class of each pixel, to index with; 0 where the pixel is ignored.

        Any other label that is no class is left as it is, so that indexing fails. Datasets with
        such labels are refused when they are read (`require_ids`).
        """
        return torch.where(self.labelled, self.labels, 0)

    def counts(self) -> Tensor:
        """The weight of each pixel: that of its class, and 0 where the pixel is ignored."""
        return self.labelled if self.weights is None else self.labelled * self.weights[self.ids]

    def weighed(self, classes: Tensor) -> Tensor:
        """Values of the classes (K,), each multiplied by the weight of its class."""
        return classes if self.weights is None else classes * self.weights

    def is_class(self, prediction: Tensor) -> Tensor:
        """One-hot labels, fp32, in the shape of a prediction (N, K, ...); 0 where ignored."""
        # torch's `one_hot` would wait for the GPU, to make sure that no id is too large.
        none = torch.zeros_like(prediction, memory_format=torch.contiguous_format)
        return none.scatter_(1, self.ids[:, None], self.labelled[:, None].to(none.dtype))


class Loss(Section):
    """One loss, and its factor where several are added up."""

    weight: float = Field(default=1.0, gt=0, description="Factor in the sum of several losses.")

    @abstractmethod
    def of(self, prediction: Tensor, truth: Truth) -> Tensor:
        """The loss of a batch, a scalar, for a prediction (N, K, ...) in fp32."""


class CrossEntropy(Loss):
    """Cross-entropy: the mean of -log p over the labelled pixels, weighted by their classes."""

    name: Literal["cross-entropy"] = "cross-entropy"

    def of(self, prediction: Tensor, truth: Truth) -> Tensor:
        """0 where no pixel is labelled."""
        # torch's own mean would be over the pixels of this process alone.
        total = cross_entropy(
            prediction,
            truth.labels,
            weight=truth.weights,
            ignore_index=IGNORE,
            reduction="sum",
            label_smoothing=truth.smoothing,
        )
        return _averaged(total, truth.counts())


class Focal(Loss):
    """Cross-entropy times (1 - p)^gamma: pixels that are easy count little (Lin et al., 2017)."""

    name: Literal["focal"] = "focal"
    gamma: float = Field(default=2.0, ge=0, le=10, description="0 is cross-entropy.")

    def of(self, prediction: Tensor, truth: Truth) -> Tensor:
        """0 where no pixel is labelled.

        With label smoothing, a pixel's loss is the sum of its losses for every class, each times
        the share that the class has of the smoothed label.
        """
        logs, counts, smoothing = prediction.log_softmax(1), truth.counts(), truth.smoothing
        total = (self._costs(logs.gather(1, truth.ids[:, None]))[:, 0] * counts).sum()
        if smoothing:
            each = _sums(self._costs(logs) * truth.labelled[:, None])
            total = (1 - smoothing) * total + smoothing * truth.weighed(each).mean()
        return _averaged(total, counts)

    def _costs(self, logs: Tensor) -> Tensor:
        doubts = (-logs.expm1()).clamp(min=LEAST_DOUBT)
        return -logs * doubts**self.gamma


class Dice(Loss):
    """1 - the Dice coefficient, a mean over the classes of the batch (Milletari et al., 2016)."""

    name: Literal["dice"] = "dice"

    def of(self, prediction: Tensor, truth: Truth) -> Tensor:
        """The mean over the classes that occur in the batch, by their weights; 0 where none does.

        The Dice coefficient of a class is 2 sum(p g) / (sum(p^2) + sum(g^2)): p is the softmax, g
        the one-hot or smoothed label, and the sums are over the labelled pixels of all images. The
        squares are those of V-Net; without them p = g would not be the best answer to smoothed
        labels.
        """
        shares, ids = prediction.softmax(1), truth.is_class(prediction)
        labelled, smoothing = truth.labelled[:, None], truth.smoothing
        # Without smoothing these are the one-hot labels themselves, which saves a copy of them.
        wanted = (ids * (1 - smoothing) + smoothing / len(ids[0])) * labelled if smoothing else ids
        parts = shares * wanted, shares**2 * labelled + wanted**2, ids
        sums = devices.summed_for_loss(torch.stack([_sums(part) for part in parts]))
        common, squares, pixels = sums.unbind()
        coefficients = 2 * common / torch.where(pixels > 0, squares, 1)
        counts = truth.weighed((pixels > 0).float())
        total = counts.sum()
        return (counts * (1 - coefficients)).sum() / torch.where(total > 0, total, 1)


class Charbonnier(Loss):
    """Mean of sqrt(d^2 + 0.001^2), a smooth |d| of images (Charbonnier et al., ICIP 1994)."""

    name: Literal["charbonnier"] = "charbonnier"

    def of(self, prediction: Tensor, truth: Truth) -> Tensor:
        """The difference d is that of prediction and label, both images (N, C, ...)."""
        return (prediction - truth.labels).square().add(EPSILON**2).sqrt().mean()


LOSSES: dict[str, type[Loss]] = {
    "cross-entropy": CrossEntropy,
    "dice": Dice,
    "focal": Focal,
    "charbonnier": Charbonnier,
}


def total_loss(losses: Sequence[Loss], prediction: Tensor, truth: Truth) -> Tensor:
    """The sum of losses, each times its weight, for a prediction (N, K, ...) in any precision."""
    return torch.stack([loss.weight * loss.of(prediction.float(), truth) for loss in losses]).sum()


def _averaged(total: Tensor, counts: Tensor) -> Tensor:
    """`total` divided by the weights of all pixels of the batch; 0 where no pixel counts.

    Of several processes each divides by the mean of their sums of weights, because their gradients
    are averaged afterwards: together that is the sum over the batch, divided once.
    """
    share = devices.summed(counts.sum()) / devices.world_size()
    # A batch may have no labelled pixel; an `if` would wait for the GPU to know.
    return total / torch.where(share > 0, share, 1)


def _sums(values: Tensor) -> Tensor:
    """The sum for each class over all pixels of all images: (N, K, ...) -> (K,)."""
    return values.sum((0, *range(2, values.dim())))


def _listed(value: Any) -> Any:
    listed = value if value is None or isinstance(value, list | tuple) else [value]
    if any(isinstance(loss, dict) and not LOSSES.keys().isdisjoint(loss) for loss in listed or ()):
        example = "[cross-entropy, {name: dice, weight: 0.5}]"
        raise SpecError(f"a sum of losses is a list, such as {example}", ("loss",))
    return listed


@lru_cache
def _reader(losses: tuple[type[Loss], ...]) -> TypeAdapter[Any]:
    """Reads and describes a loss that is one of these, by its name."""
    return TypeAdapter(one_of(losses, "cross-entropy"))


class _InTable:
    """Annotates a loss that is one of those in `LOSSES` when it is read, not when this is."""

    def members(self) -> tuple[type[Loss], ...]:
        """The classes of the table as it is now."""
        return tuple(LOSSES.values())

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Reads by the table as it is then; writes with the fields of the class that it meets."""
        return core_schema.no_info_plain_validator_function(
            lambda value: _reader(self.members()).validate_python(value),
            serialization=core_schema.simple_ser_schema("any"),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """What an editor is to accept: a section of fields, or a name alone."""
        return handler(_reader(self.members()).core_schema)


AnyLoss = Annotated[Loss, _InTable()]
AnyLosses = Annotated[
    tuple[AnyLoss, ...],
    Field(min_length=1, strict=False),
    BeforeValidator(_listed, json_schema_input_type=AnyLoss | list[AnyLoss]),
]
"""A loss alone stands for a list of it."""
