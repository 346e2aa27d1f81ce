"""What TensorBoard is given to show."""

import math
import sys
import warnings
from pathlib import Path

import pytest
from PIL import Image
from tiny import SPEC

from gridgen.errors import UsageError
from gridgen.training import Recipe
from gridgen.training.loop.watch import FOLDER, TensorBoard
from gridgen.training.run.facts import Facts
from gridgen.training.run.folder import Run

pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")

RECIPE = Recipe(
    epochs=2, batch=4, learning_rate=0.01, crop={"smallest": 8, "largest": 8, "size": 8}
)
FACTS = {
    "data": "x",
    "seed": 0,
    "device": "cpu",
    "classes": ["a", "b", "c"],
    "colours": [[0] * 3] * 3,
}


@pytest.fixture
def run(tmp_path) -> Run:
    return Run.create(tmp_path / "run", SPEC, RECIPE, Facts(**FACTS))


def events(run: Run) -> dict[str, list[tuple[int, float]]]:
    """Step and value of every curve, as TensorBoard shows them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        read = EventAccumulator(str(run.folder / FOLDER))
        read.Reload()
    scalars = {
        tag: [(event.step, event.value) for event in read.Scalars(tag)]
        for tag in read.Tags()["scalars"]
    }
    images = {tag: [(e.step, math.nan) for e in read.Images(tag)] for tag in read.Tags()["images"]}
    return scalars | images


def trained(run: Run, done: int, last: int, loss: float) -> None:
    """Steps 20, 40 ... after `done`, with a loss that says which training it was."""
    board = TensorBoard()
    board.started(run, 80, done, 0)
    for step in range(done + 20, last + 1, 20):
        pace = {"images_per_second": 10.0, "waiting": 0.25}
        board.paced({"step": step, "learning_rate": 0.5, "loss": loss, **pace})
        board.scored({"step": step, "train_iou": 0.5, "val_iou": 0.25, "epoch": 1})
    board.finished()


def test_curves_are_those_of_steps_csv_and_metrics_csv(run):
    trained(run, 0, 40, 2.0)
    assert events(run) == {
        "learning_rate": [(20, 0.5), (40, 0.5)],
        "loss": [(20, 2.0), (40, 2.0)],
        "images_per_second": [(20, 10.0), (40, 10.0)],
        "waiting": [(20, 0.25), (40, 0.25)],
        "IoU/train": [(20, 0.5), (40, 0.5)],
        "IoU/val": [(20, 0.25), (40, 0.25)],
    }


@pytest.mark.parametrize("done", [0, 40])
def test_steps_that_are_made_again_are_not_shown_twice(done, run):
    trained(run, 0, 60, 2.0)
    trained(run, done, 80, 1.0)
    losses = [2.0 if step <= done else 1.0 for step in (20, 40, 60, 80)]
    assert events(run)["loss"] == list(zip((20, 40, 60, 80), losses, strict=True))


def test_the_held_out_images_have_a_curve_of_their_own(run):
    board = TensorBoard()
    board.started(run, 80, 0, 0)
    board.scored({"step": 4, "train_iou": 0.5, "val_iou": 0.25, "holdout_iou": 0.125})
    board.finished()
    assert events(run)["IoU/holdout"] == [(4, 0.125)]


def test_predictions_are_shown_as_they_were_drawn(run, tmp_path):
    Image.new("P", (12, 8)).save(tmp_path / "predictions.png")
    board = TensorBoard()
    board.started(run, 80, 0, 0)
    board.drawn(Path(tmp_path / "predictions.png"))
    board.finished()
    assert [step for step, _ in events(run)["predictions"]] == [80]


def test_without_the_extra_it_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError) as caught:
        TensorBoard()
    assert str(caught.value) == ("TensorBoard is not installed; pip install 'gridgen[tensorboard]'")
