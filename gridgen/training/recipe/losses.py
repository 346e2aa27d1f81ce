"""Losses, which a training minimizes. Add one as a class and a line in `LOSSES`, and name it in the
tasks whose labels it compares.

All are computed in fp32, as bf16 is too coarse to be summed over a million pixels, and are those of
the whole batch, however many processes share it.
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

EPSILON = 1e-3
# Below it 1 - p is taken as this, as the slope of a root is infinite at 0.
LEAST_DOUBT = 1e-12


class Truth(NamedTuple):
    """The labels of a batch, images or ids of classes (N, ...), and how those count.

    `weights` (K,) are those of the classes; `smoothing` is the share of a label that all classes
    are given alike.
    """

    labels: Tensor
    weights: Tensor | None = None
    smoothing: float = 0.0

    @property
    def labelled(self) -> Tensor:
        """Whether a pixel has a class."""
        return self.labels != IGNORE

    @property
    def ids(self) -> Tensor:
        """The class of each pixel as an index; of a pixel without a class any, here 0.

        Another label that is no class stays what it is, so that whatever it indexes fails. Those
        of a dataset are refused where they are read (`require_ids`).
        """
        return torch.where(self.labelled, self.labels, 0)

    def counts(self) -> Tensor:
        """How much each pixel counts: as its class weighs, and not at all if it is ignored."""
        return self.labelled if self.weights is None else self.labelled * self.weights[self.ids]

    def weighed(self, classes: Tensor) -> Tensor:
        """Values of the classes (K,), each as its class weighs."""
        return classes if self.weights is None else classes * self.weights

    def is_class(self, prediction: Tensor) -> Tensor:
        """1 where a pixel is labelled as a class, in the shape of a prediction (N, K, ...)."""
        # `one_hot` would wait for a GPU to see that no id is too large.
        none = torch.zeros_like(prediction, memory_format=torch.contiguous_format)
        return none.scatter_(1, self.ids[:, None], self.labelled[:, None].to(none.dtype))


class Loss(Section):
    """A loss, and how much it counts in the sum of several."""

    weight: float = Field(default=1.0, gt=0, description="Factor in the sum of several losses.")

    @abstractmethod
    def of(self, prediction: Tensor, truth: Truth) -> Tensor:
        """The scalar for a batch, (N, K, ...) in fp32 and what is true of it."""


class CrossEntropy(Loss):
    """Cross-entropy, averaged over the labelled pixels of a batch; each as its class weighs."""

    name: Literal["cross-entropy"] = "cross-entropy"

    def of(self, prediction: Tensor, truth: Truth) -> Tensor:
        """0 where no pixel is labelled."""
        # The mean of torch would be over this process alone; the sum can be shared.
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
    """Cross-entropy times (1 - p)^gamma, so that what is easy counts little (Lin et al., 2017)."""

    name: Literal["focal"] = "focal"
    gamma: float = Field(default=2.0, ge=0, le=10, description="0 is cross-entropy.")

    def of(self, prediction: Tensor, truth: Truth) -> Tensor:
        """0 where no pixel is labelled. With smoothing, a sum over the classes' shares of it."""
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
    """1 - the Dice coefficient of the batch, a mean over its classes (Milletari et al., 2016)."""

    name: Literal["dice"] = "dice"

    def of(self, prediction: Tensor, truth: Truth) -> Tensor:
        """The mean over the classes that the batch has, as they weigh; 0 where it has none.

        2 sum(p g) / (sum(p^2) + sum(g^2)) for each, over the labelled pixels of all images. The
        squares are those of V-Net: with them smoothed labels are met best by p = g.
        """
        shares, ids = prediction.softmax(1), truth.is_class(prediction)
        labelled, smoothing = truth.labelled[:, None], truth.smoothing
        # With nothing smoothed the labels are the ids, and no second copy of them is kept.
        wanted = (ids * (1 - smoothing) + smoothing / len(ids[0])) * labelled if smoothing else ids
        parts = shares * wanted, shares**2 * labelled + wanted**2, ids
        sums = devices.summed_for_loss(torch.stack([_sums(part) for part in parts]))
        common, squares, pixels = sums.unbind()
        coefficients = 2 * common / torch.where(pixels > 0, squares, 1)
        counts = truth.weighed((pixels > 0).float())
        total = counts.sum()
        return (counts * (1 - coefficients)).sum() / torch.where(total > 0, total, 1)


class Charbonnier(Loss):
    """Mean of sqrt(d^2 + 0.001^2): |d| without its edge (Charbonnier et al., ICIP 1994)."""

    name: Literal["charbonnier"] = "charbonnier"

    def of(self, prediction: Tensor, truth: Truth) -> Tensor:
        """Labels are images."""
        return (prediction - truth.labels).square().add(EPSILON**2).sqrt().mean()


LOSSES: dict[str, type[Loss]] = {
    "cross-entropy": CrossEntropy,
    "dice": Dice,
    "focal": Focal,
    "charbonnier": Charbonnier,
}


def total_loss(losses: Sequence[Loss], prediction: Tensor, truth: Truth) -> Tensor:
    """The weighted sum of losses for a prediction in any precision."""
    return torch.stack([loss.weight * loss.of(prediction.float(), truth) for loss in losses]).sum()


def _averaged(total: Tensor, counts: Tensor) -> Tensor:
    """`total` over what the pixels of the whole batch count; 0 where none does.

    Of several processes, each divides by its share of that, as gradients are averaged.
    """
    share = devices.summed(counts.sum()) / devices.world_size()
    # A batch may hold no labelled pixel; asking for it with `if` would wait for the GPU.
    return total / torch.where(share > 0, share, 1)


def _sums(values: Tensor) -> Tensor:
    """(N, K, ...) -> (K,), over all pixels of all images."""
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
