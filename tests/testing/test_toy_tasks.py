"""`check_task` passes a toy task that is whole, and catches each that is broken."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch

from gridgen.testing import check_task
from gridgen.training.tasks import Metric, Restoration, Segmentation
from gridgen.training.tasks.table import ScoreTable

LABELS = torch.rand(3, 1, 6, 4, generator=torch.Generator().manual_seed(1))


@dataclass(frozen=True)
class Hits:
    """The share of values that are right to a tenth."""

    value: float

    def by_class(self) -> dict[str, float]:
        return {}

    def numbers(self) -> dict[str, float]:
        return {"hits": self.value}

    def as_json(self) -> dict[str, Any]:
        return self.numbers()

    def rows(self) -> list[tuple[str, str]]:
        return [("hits", f"{self.value:.3f}")]


class Guessing(Restoration):
    """Images whose values need to be right to a tenth only."""

    name: ClassVar[str] = "guessing"
    metric: ClassVar[Metric] = Metric("hits", "hits", digits=3, most=1.0)
    numbers: ClassVar[dict[str, str]] = {"hits": "hits"}

    def statistics(self, prediction, labels):
        close = (prediction - labels).abs() < 0.1
        return torch.tensor([close.sum(), close.numel()], dtype=torch.float64)

    def score(self, statistics):
        hits, values = statistics.tolist()
        return Hits(hits / max(values, 1))


def test_a_task_of_ones_own_passes():
    check_task(Guessing(), LABELS, LABELS)


def broken(**methods):
    return type("Broken", (Guessing,), methods)()


def _table(**fields):
    head = {"columns": ("place", "hits"), "titles": ("place", "hits")}
    plain = {"title": "by place", **head, "rows": (("top", 1.0),)}
    return lambda self, statistics: {"places": ScoreTable(**plain | fields)}


@pytest.mark.parametrize(
    ("methods", "words"),
    [
        ({"numbers": {"misses": "misses"}}, "first of its numbers is misses, its metric hits"),
        ({"numbers": {"hits": "hits", "area": "area"}}, "the task names hits, area"),
        ({"ending": ""}, "ending is empty"),
        ({"losses": ()}, "it names no loss"),
        ({"loss": lambda self, x, y: (x - y).abs()}, "the loss is 3x1x6x4, no scalar"),
        ({"loss": lambda self, x, y: (x - y).detach().abs().sum()}, "the loss has no gradient"),
        ({"loss": lambda self, x, y: (x / 0).sum()}, "the loss is inf"),
        ({"loss": lambda self, x, y: (x * 0).sum()}, "the loss does not fall along its gradient"),
        (
            {"loss": lambda self, x, y: x.square().mean() + y.mean()},
            "no smaller loss than noise",
        ),
        (
            {"statistics": lambda self, x, y: Guessing.statistics(self, x, y) / len(x)},
            "the statistics of two batches do not add up",
        ),
        ({"no_statistics": lambda self: torch.ones(2).double()}, "do not add up"),
        ({"score": lambda self, s: Hits(1.0)}, "the score of no image is 1.0, not 0"),
        (
            {"score": lambda self, s: Hits(float((s[1] - s[0]) / max(s[1], 1)))},
            "the right prediction scores 0.0, noise",
        ),
        ({"score": lambda self, s: Hits(float(s[0]))}, "the right prediction scores 72.0, not 1.0"),
        ({"score": lambda self, s: Hits(-float(s[0]))}, "noise scores -"),
        (
            {"answer": lambda self, x: x[0].double()},
            "an answer is torch.float64, 1x6x4; labels",
        ),
        ({"answer": lambda self, x: x.float()}, "an answer is torch.float32, 1x1x6x4; labels are"),
        ({"answer": lambda self, x: 1 - x[0]}, "answer of the right prediction is not the label"),
        ({"answer": lambda self, x: x[0].clamp_(0, 0.5)}, "is not the label"),
        ({"pixels": lambda self, y: y.numpy()}, "the picture of an answer is float32, 1x6x4"),
        ({"faults": lambda self, image, y, x: image}, "faults of noise look as those of the right"),
        ({"encode": lambda self, x, bits: b"PNG"}, "not a PNG, JPEG, WebP, BMP or TIFF image"),
        (
            {"encode": lambda self, x, bits: Restoration.encode(self, x.mT, bits)},
            "an answer of 1x6x4 is written 1x4x6",
        ),
        (
            {"encode": lambda self, x, bits: Restoration.encode(self, x, 8)},
            "an answer is not what its file of 16 bits holds",
        ),
        (
            {"encode": lambda self, x, bits: Restoration.encode(self, 1 - x, bits)},
            "an answer is not what its file of 8 bits holds",
        ),
        (
            {"blanked": lambda self, x, valid: x * 0},
            "blanked() changes an answer where the image has a value",
        ),
        (
            {"blanked": lambda self, x, valid: x},
            "where an image has no value, an answer says 4 things",
        ),
        ({"legend": lambda self, labels: (["hit"], [])}, "a legend has 1 names, 0 colours"),
        ({"tables": _table(rows=(("top",),))}, "table places: a row is not as long as the head"),
        ({"tables": _table(bar="misses")}, "table places: its bar misses is no column"),
        ({"tables": _table(title="")}, "table places: it has no title"),
        ({"tables": _table(titles=("place",))}, "table places: 1 titles for 2 columns"),
        ({"tables": _table(mean=("mean",))}, "its mean is not as long as the head"),
        ({"require_label": lambda self, sample: None}, "takes a label of other sides than"),
    ],
)
def test_a_broken_task_is_caught(methods, words):
    with pytest.raises(AssertionError) as failure:
        check_task(broken(**methods), LABELS.clone(), LABELS.clone())
    assert str(failure.value).startswith("task guessing: ")
    assert words in str(failure.value)


def test_a_task_that_changes_what_it_is_given_is_caught():
    def loss(self, prediction, labels):
        labels.mul_(0.5)
        return Restoration.loss(self, prediction, labels)

    with pytest.raises(AssertionError):
        check_task(broken(loss=loss), LABELS.clone(), LABELS)


def test_one_label_is_too_few_and_a_wrong_prediction_is_not_right():
    with pytest.raises(AssertionError, match="give at least two labels"):
        check_task(Guessing(), LABELS[:1], LABELS[:1])
    task = Segmentation(("a", "b"), ((0, 0, 0), (9, 9, 9)))
    labels = torch.tensor([[[0, 1]], [[1, 0]]])
    with pytest.raises(AssertionError, match="the right prediction has no smaller loss"):
        check_task(task, labels, torch.stack([labels, 1 - labels], 1).float() * 20)
