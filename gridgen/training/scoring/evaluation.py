"""Scoring a trained network on a split, beside what needs no network; the scores as tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from torch import Tensor

from gridgen.arguments import PathLike, checked, checked_fields
from gridgen.data import Dataset, load_dataset
from gridgen.data.datasets import lasting_name
from gridgen.data.subsets import digest_of_names, divided
from gridgen.errors import DataError
from gridgen.progress import OnProgress, no_progress
from gridgen.shown import Shown, ShownRows
from gridgen.training.inference import Inference, InferenceLike
from gridgen.training.processes import devices
from gridgen.training.run.ensemble import ModelLike, as_model
from gridgen.training.run.model import Model
from gridgen.training.scoring.per_image import (
    Gallery,
    ImageScore,
    Observer,
    Predictor,
    require_scored,
    see_images,
    worst_first,
)
from gridgen.training.tasks import FOLD, HOLDOUT, VAL, Score, Task, task_of
from gridgen.training.tasks.requirements import (
    require_fit,
    require_images,
    require_inference,
)
from gridgen.training.tasks.table import ScoreTable

NAMED = 3
"""Worst images in a report."""


@checked_fields
@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Shown):
    """The network's score, and where it was asked for that of the baseline, which needs no network:
    the best single-pixel lookup, or the image that is to be restored.
    """

    task: Task
    model: str
    """The run or weights file."""
    data: str
    split: str
    inference: Inference
    network: Score
    statistics: Tensor
    """The task's, summed over all images, on the CPU."""
    per_image: tuple[ImageScore, ...]
    """Scores of the images in the dataset's order."""
    baseline: Score | None
    weights: str | None = None
    """Which weights of a run were scored, in words."""

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.per_image)

    @property
    def worst(self) -> list[ImageScore]:
        """The images, the worst first."""
        return worst_first(self.per_image)

    @cached_property
    def tables(self) -> Mapping[str, ScoreTable]:
        """What the task tells beside the score, by the names of files."""
        return self.task.tables(self.statistics)

    @property
    def margin(self) -> float | None:
        """Difference of the network's metric and the baseline's."""
        return self.network.value - self.baseline.value if self.baseline else None

    def as_json(self) -> dict[str, Any]:
        """Plain numbers; a class that neither occurs nor is predicted has null."""
        return {
            "model": self.model,
            "weights": self.weights,
            "data": self.data,
            "split": self.split,
            "images": self.images,
            "inference": self.inference.complete(),
            **self.network.as_json(),
            "baseline": self.baseline.as_json() if self.baseline else None,
            "margin": self.margin,
            "remarks": self.remarks,
            "worst": self._named,
            "tables": {name: t.as_json() for name, t in self.tables.items() if not t.picture},
        }

    @property
    def remarks(self) -> list[str]:
        """What is odd about labels and answers, a line each."""
        return self.task.remarks(self.statistics, self.split)

    @property
    def _named(self) -> dict[str, float]:
        """The metric of the worst images by their names."""
        return {image.name: image.value for image in self.worst[:NAMED] if image.score}

    def rows(self) -> ShownRows:
        """Label and value of each line of a report."""
        split = f"{self.data}, {self.split}: {self.images} images"
        rows = [("data", split)]
        if self.weights:
            rows.append(("weights", self.weights))
        rows.append(("inference", self.inference.described()))
        rows += self.network.rows()
        task, metric = self.task, self.task.metric
        if self.baseline is not None and self.margin is not None:
            without = f"{metric.shown(self.baseline.value)}  ({task.baseline})"
            rows.append((f"baseline {metric.title}", without))
            rows.append(("margin", metric.shown(self.margin, sign="+")))
        if self._named and self.images > NAMED:
            named = [f"{name} {metric.shown(value)}" for name, value in self._named.items()]
            rows.append(("worst images", ", ".join(named)))
        rows += [("odd", line) for line in self.remarks]
        return rows


@checked
def evaluate(
    model: ModelLike,
    data: PathLike,
    split: str | None = None,
    *,
    baseline: bool = True,
    device: str = "auto",
    inference: InferenceLike | None = None,
    observers: Sequence[Observer] = (),
    gallery: Gallery | None = None,
    on_progress: OnProgress = no_progress,
) -> Evaluation:
    """Score an opened model, a run or a weights file on a split, or the mean of several.

    With `baseline`, also what needs no network: the best single-pixel lookup fitted on train, or
    the image that is to be restored; with `inference`, another one than training validated by;
    without, that one in fp32.
    Without a split, what training scored as val: the split of that name, or `fold`, its fold of
    train. The split `holdout` is what it held out of train; of fold and holdout the lookup sees
    nothing. `observers` see every answer, `gallery` keeps pictures of the worst and best images;
    `on_progress` is called for each image. All sizes are checked before the first image. Errors:
    `RunError`, `WeightsError`, `SizeError`; `OutOfMemoryError` of an image; `DataError` where the
    data sets another task than the network was trained for, or other classes; `SpecError` where
    their number or the channels differ, or the inference does not suit; `DeviceError` under
    torchrun.
    """
    devices.require_alone("scores a split")
    model = as_model(model)
    chosen = devices.choose_device(device)
    inference = model.chosen_inference(inference, chosen)
    data = str(data)
    split = split or scored_split(model, data)
    dataset, train = _split(model, data, split)
    task = task_of(dataset)
    _require_task(model, task, dataset)
    _require_classes(model, dataset)
    require_fit(model.spec, dataset)
    for spec in model.specs:
        require_inference(inference, spec, task)
        require_images(inference, spec, dataset, split)
    total, images = task.no_statistics(), []
    predictor = Predictor(model.network.to(chosen), chosen, inference)
    for seen in see_images(predictor, dataset, on_progress):
        total += seen.statistics.cpu()
        images.append(seen.scored(task))
        if observers or gallery:
            answer = task.answer(seen.prediction)
            for observer in observers:
                observer.see(seen.sample, answer)
            if gallery:
                gallery.offer(images[-1], seen.sample, answer, task)
    require_scored(total, dataset, split)
    return Evaluation(
        task=task,
        model=model.title,
        data=dataset.name,
        split=f"{FOLD} {model.fold}" if split == FOLD and model.fold else split,
        inference=inference,
        network=task.score(total),
        statistics=total,
        per_image=tuple(images),
        baseline=task.score_baseline(train, dataset, on_progress) if baseline else None,
        weights=model.weights,
    )


def scored_split(model: Model, data: str) -> str:
    """The split that `evaluate` scores where none is named: what training scored as val."""
    return FOLD if model.fold is not None and _is_its_own(model, data) else VAL


def _is_its_own(model: Model, data: str) -> bool:
    """Whether a model was trained on this data."""
    if model.data is None:
        return False
    asked = lasting_name(data)
    # A run says where its data was, a weights file its name alone.
    return model.data == (asked if "/" in model.data else Path(asked).name)


def images_to_train(model: Model, data: str) -> Dataset:
    """Those of train; where a model was trained on this data, without what it is scored on.

    Errors: `DataError`.
    """
    train = load_dataset(data, "train")
    if not _is_its_own(model, data):
        return train
    division = divided(train, model.holdout, model.fold, model.group)
    _require_fold_of(model, division.fold, data)
    return division.train


def _split(model: Model, data: str, split: str) -> tuple[Dataset, Callable[[], Dataset]]:
    """A split of the data or a part of train that was not trained on, and what a baseline fits.

    Where there is no such part, `holdout` may be the name of a split of the data itself.
    """
    if split in (HOLDOUT, FOLD) and getattr(model, split) is not None:
        division = divided(load_dataset(data, "train"), model.holdout, model.fold, model.group)
        if split == FOLD:
            _require_fold_of(model, division.fold, data)
        return getattr(division, split), lambda: division.train
    try:
        return load_dataset(data, split), partial(load_dataset, data, "train")
    except DataError as error:
        if split not in (HOLDOUT, FOLD):
            raise
        without = "held none of train out" if split == HOLDOUT else "was trained without a fold"
        raise DataError(f"{error}; {model.path} {without}") from error


def _require_fold_of(model: Model, fold: Dataset | None, data: str) -> None:
    """Refuse a fold that holds images which the model was trained on. Errors: `DataError`."""
    if fold is None or model.fold_names in (None, digest_of_names(fold)):
        return
    fact = f"fold {model.fold} of {data} is another one than {model.path} was validated by"
    raise DataError(f"{fact}: its images were added, removed or renamed; score a val: --split val")


def _require_task(model: Model, task: Task, dataset: Dataset) -> None:
    trained = model.task.metric.title
    if model.task.name != task.name:
        on = f" on {model.data}" if model.data else ""
        known = f"was trained for {trained}{on}; name such data"
        if not model.named:
            known = "does not say for what it was trained; export it from its run"
        raise DataError(
            f"{dataset.name} is scored by {task.metric.title}, but {model.path} {known}"
        )


def _require_classes(model: Model, dataset: Dataset) -> None:
    """The same classes in the same order, where it is known what the network was trained for."""
    mine, its = tuple(model.task.classes), dataset.classes
    if not model.named or mine == its:
        return
    fix = "name the data that it was trained for"
    for number, (one, other) in enumerate(zip(mine, its, strict=False)):
        if one != other:
            fact = f"class {number} is {other!r} in the data {dataset.name}, but {one!r}"
            raise DataError(f"{fact} in {model.path}; {fix}")
    fact = f"{dataset.name} has {len(its)} classes, but {model.path} was trained for {len(mine)}"
    raise DataError(f"{fact}; {fix}")


def images_table(evaluation: Evaluation) -> ScoreTable:
    """A row for each image, the worst first; no numbers if nothing is labelled."""
    titles = evaluation.task.numbers
    rows = []
    for image in evaluation.worst:
        values = image.score.numbers().values() if image.score else [None] * len(titles)
        rows.append((image.name, *image.size, *values))
    plain = ("image", "height", "width")
    return ScoreTable("Images", (*plain, *titles), (*plain, *titles.values()), rows)
