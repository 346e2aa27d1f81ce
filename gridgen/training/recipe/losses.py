"""Losses, which a training minimizes. Add one as a class and a line in `LOSSES`, and name it in the
tasks whose labels it compares.

All are computed in fp32, as bf16 is too coarse to be summed over a million pixels, and are those of
the whole batch, however many processes share it.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

import torch
from pydantic import BeforeValidator, Field, Tag
from torch import Tensor
from torch.nn.functional import cross_entropy

from gridgen.data import IGNORE
from gridgen.errors import SpecError
from gridgen.training.processes import devices
from gridgen.training.recipe.sections import SHORT_FORM, Section, by_name

EPSILON = 1e-3
# Below it 1 - p is taken as this, as the slope of a root is infinite at 0.
LEAST_DOUBT = 1e-12


class Loss(Section):
    """A loss, and how much it counts in the sum of several."""

    weight: float = Field(default=1.0, gt=0, description="Factor in the sum of several losses.")

    @abstractmethod
    def of(
        self, prediction: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float
    ) -> Tensor:
        """The scalar for a batch, (N, K, ...) in fp32 and its labels.

        Where labels are ids of classes, (N, ...), `weights` (K,) are those of the classes, and
        `smoothing` is the share of a label given to all classes alike.
        """


class CrossEntropy(Loss):
    """Cross-entropy, averaged over the labelled pixels of a batch; each as its class weighs."""

    name: Literal["cross-entropy"] = "cross-entropy"

    def of(
        self, prediction: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float
    ) -> Tensor:
        """0 where no pixel is labelled."""
        # The mean of torch would be over this process alone; the sum can be shared.
        total = cross_entropy(
            prediction,
            labels,
            weight=weights,
            ignore_index=IGNORE,
            reduction="sum",
            label_smoothing=smoothing,
        )
        return _averaged(total, labels, weights)


class Focal(Loss):
    """Cross-entropy times (1 - p)^gamma, so that what is easy counts little (Lin et al., 2017)."""

    name: Literal["focal"] = "focal"
    gamma: float = Field(default=2.0, ge=0, le=10, description="0 is cross-entropy.")

    def of(
        self, prediction: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float
    ) -> Tensor:
        """0 where no pixel is labelled. With smoothing, the sum over the classes' shares."""
        logs = prediction.log_softmax(1)
        doubts = (-logs.expm1()).clamp(min=LEAST_DOUBT)
        terms = _wanted(prediction, labels, smoothing) * doubts**self.gamma * -logs
        each = terms.sum((0, *range(2, terms.dim())))
        return _averaged(each.sum() if weights is None else (each * weights).sum(), labels, weights)


class Dice(Loss):
    """1 - the Dice coefficient of the batch, a mean over its classes (Milletari et al., 2016)."""

    name: Literal["dice"] = "dice"

    def of(
        self, prediction: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float
    ) -> Tensor:
        """The mean over the classes that the batch has, as they weigh; 0 where it has none.

        2 sum(p g) / (sum(p^2) + sum(g^2)) for each, over the labelled pixels of all images. The
        squares are those of V-Net: with them smoothed labels are met best by p = g.
        """
        counted = (labels != IGNORE)[:, None]
        shares, wanted = prediction.softmax(1) * counted, _wanted(prediction, labels, smoothing)
        parts = (shares * wanted, shares**2 + wanted**2, _is_class(prediction, labels))
        over = (0, *range(2, prediction.dim()))
        sums = devices.summed_for_loss(torch.stack([part.sum(over) for part in parts]))
        common, squares, pixels = sums.unbind()
        there = (pixels > 0).float()
        coefficients = 2 * common / torch.where(pixels > 0, squares, 1)
        counts = there if weights is None else there * weights
        total = counts.sum()
        return (counts * (1 - coefficients)).sum() / torch.where(total > 0, total, 1)


class Charbonnier(Loss):
    """Mean of sqrt(d^2 + 0.001^2): |d| without its edge (Charbonnier et al., ICIP 1994)."""

    name: Literal["charbonnier"] = "charbonnier"

    def of(
        self, prediction: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float
    ) -> Tensor:
        """Labels are images; `weights` and `smoothing` mean nothing to it."""
        return (prediction - labels).square().add(EPSILON**2).sqrt().mean()


LOSSES: dict[str, type[Loss]] = {
    "cross-entropy": CrossEntropy,
    "dice": Dice,
    "focal": Focal,
    "charbonnier": Charbonnier,
}


def total_loss(
    losses: Sequence[Loss],
    prediction: Tensor,
    labels: Tensor,
    weights: Tensor | None = None,
    smoothing: float = 0.0,
) -> Tensor:
    """The weighted sum of losses; its arguments are those of `Loss.of`, in any precision."""
    given = prediction.float(), labels, weights, smoothing
    return torch.stack([loss.weight * loss.of(*given) for loss in losses]).sum()


def _averaged(total: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    """`total` over the labelled pixels of the batch, each as its class weighs; 0 without any.

    Of several processes, each divides by its share of all pixels, as gradients are averaged.
    """
    counted = labels != IGNORE
    if weights is not None:
        # IGNORE is no index into the weights; its pixels are not counted whatever they weigh.
        counted = counted * weights[labels.clamp(max=len(weights) - 1)]
    share = devices.summed(counted.sum()) / devices.world_size()
    # A batch may hold no labelled pixel; asking for it with `if` would wait for the GPU.
    return total / torch.where(share > 0, share, 1)


def _is_class(prediction: Tensor, labels: Tensor) -> Tensor:
    """1 where a pixel is labelled as a class, (N, K, ...)."""
    # `one_hot` would wait for a GPU to see that no id is too large.
    ids = torch.arange(prediction.shape[1], device=labels.device)
    return (labels[:, None] == ids.view(-1, *(1 for _ in labels.shape[1:]))).float()


def _wanted(prediction: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """The share that each class should have of each pixel, (N, K, ...); 0 of ignored pixels."""
    shares = _is_class(prediction, labels)
    if not smoothing:
        return shares
    return (shares * (1 - smoothing) + smoothing / shares.shape[1]) * (labels != IGNORE)[:, None]


def _listed(value: Any) -> Any:
    listed = value if value is None or isinstance(value, list | tuple) else [value]
    if any(isinstance(loss, dict) and not LOSSES.keys().isdisjoint(loss) for loss in listed or ()):
        example = "[cross-entropy, {name: dice, weight: 0.5}]"
        raise SpecError(f"a sum of losses is a list, such as {example}", ("loss",))
    return listed


if TYPE_CHECKING:
    AnyLoss = Loss
else:
    # A type checker wants the members spelt out; pydantic takes those of the table.
    AnyLoss = Annotated[
        Union[tuple(Annotated[loss, Tag(name)] for name, loss in LOSSES.items())],  # noqa: UP007
        by_name("cross-entropy"),
        SHORT_FORM,
    ]
AnyLosses = Annotated[
    tuple[AnyLoss, ...], Field(min_length=1, strict=False), BeforeValidator(_listed)
]
"""A loss alone stands for a list of it."""
