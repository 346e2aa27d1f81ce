"""A task that nobody has written: a class and a line, and all the rest follows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from PIL import Image
from torch import Tensor

from gridgen.data import Sample
from gridgen.data.check import check_data
from gridgen.data.datasets import DATASETS, DatasetEntry
from gridgen.errors import SpecError
from gridgen.pages import write_evaluation, write_report
from gridgen.spec import GridSpec
from gridgen.study import Study
from gridgen.study.language.requirements import require_data
from gridgen.training import Recipe, evaluate, open_model, predict, train
from gridgen.training.run.exporting import export_model
from gridgen.training.scoring.per_image import Gallery
from gridgen.training.tasks import TASKS, Restoration
from gridgen.training.tasks.table import ScoreTable
from gridgen.training.tasks.task import Metric

SPEC = GridSpec(streams=2, columns="1+1", base_channels=2, classes=1)
RECIPE = Recipe(
    epochs=1,
    batch=4,
    learning_rate=0.01,
    crop={"smallest": 8, "largest": 8, "size": 8},
    loss="charbonnier",
)


@dataclass(frozen=True)
class Closeness:
    """1 / (1 + the root of the mean squared error)."""

    error: float

    @property
    def value(self) -> float:
        return 1 / (1 + self.error)

    def by_class(self) -> dict[str, float]:
        return {}

    def numbers(self) -> dict[str, float]:
        return {"closeness": self.value, "rmse": self.error}

    as_json = numbers

    def rows(self) -> list[tuple[str, str]]:
        return [("RMSE", f"{self.error:.2f} m")]


@dataclass(frozen=True)
class Depth(Restoration):
    """How far away is each pixel? An image in metres, which need not look like the given one."""

    name: ClassVar[str] = "depth"
    metric: ClassVar[Metric] = Metric("closeness", "closeness", digits=3, most=1.0)
    numbers: ClassVar[Mapping[str, str]] = {"closeness": "closeness", "rmse": "RMSE"}
    ending: ClassVar[str] = "depth"

    def outputs(self, dataset) -> int:
        return 1

    def statistics(self, prediction: Tensor, labels: Tensor) -> Tensor:
        squares = (prediction.float() - labels).square().double()
        return torch.stack([squares.sum(), torch.tensor(squares.numel(), dtype=torch.float64)])

    def score(self, statistics: Tensor) -> Closeness:
        total, pixels = statistics.tolist()
        return Closeness((total / max(pixels, 1)) ** 0.5)

    def tables(self, statistics: Tensor) -> Mapping[str, ScoreTable]:
        rows = [("pixels", self.score(statistics).error)]
        return {"errors": ScoreTable("Errors", ("of", "rmse"), ("of", "RMSE"), rows)}

    def score_baseline(self, train, dataset, on_progress) -> None:
        return None


class Rooms:
    """Pictures in RGB whose brightness is the distance."""

    name, task, classes, colours, channels = "rooms", "depth", (), (), 3
    names, sizes = ("a", "b", "c", "d"), ((8, 8),) * 4

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Sample:
        image = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(range(4)[index]))
        return Sample(self.names[index], image, 5 * image.mean(0, keepdim=True))


@pytest.fixture
def entered(monkeypatch):
    monkeypatch.setitem(TASKS, "depth", Depth)
    entry = DatasetEntry("distances", lambda name, split: Rooms(), "denoising")
    monkeypatch.setitem(DATASETS, "rooms", entry)


@pytest.fixture
def run(entered, tmp_path):
    return train(SPEC, "rooms", RECIPE, folder=tmp_path / "run", device="cpu")


def test_a_task_is_trained_scored_shown_and_taken_away_by_what_it_says_of_itself(run, tmp_path):
    assert json.loads((run.folder / "run.json").read_text("utf-8"))["task"] == "depth"
    (row,) = run.rows()
    assert list(row)[4:] == ["train_closeness", "val_closeness", "val_rmse"]
    gallery = Gallery()
    found = evaluate(run.folder, "rooms", gallery=gallery, device="cpu")
    assert found.network.error == pytest.approx(row["val_rmse"], rel=1e-6)
    written = write_evaluation(found, gallery, run.folder / "val")
    assert [path.name for path in written] == [
        *("scores.json", "images.csv", "errors.csv", "index.html")
    ]
    assert "<h2>Errors</h2>" in (run.folder / "val" / "index.html").read_text("utf-8")
    page = write_report(run).read_text("utf-8")
    assert "Evaluation val" in page
    assert "val RMSE" in page
    Image.new("RGB", (8, 8)).save(tmp_path / "mine.png")
    [predicted] = predict(run.folder, [tmp_path / "mine.png"], tmp_path / "out")
    assert predicted.answer.name == "mine_depth.png"
    exported = export_model(open_model(run.folder), tmp_path / "w.safetensors")
    assert open_model(exported).task == Depth()
    assert not check_data("rooms").faults


def about(objective: str) -> Study:
    return Study(
        data="rooms",
        spec={"classes": 1, "columns": "1+1", "base_channels": 2},
        space={"streams": [2, 3]},
        recipe=RECIPE,
        objective=objective,
    )


def test_a_study_may_maximize_its_numbers(entered):
    require_data(about("val_rmse"))
    assert "holdout_closeness" in Study.json_schema()["properties"]["objective"]["examples"]


def test_its_numbers_are_unknown_where_it_was_not_entered():
    with pytest.raises(SpecError, match="unknown objective 'val_rmse'"):
        about("val_rmse")
