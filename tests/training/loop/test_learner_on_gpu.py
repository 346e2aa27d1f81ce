"""That a step of training never waits for the GPU. Run with `python -m pytest -m gpu`."""

import pytest
import torch

from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from gridgen.training import load_recipe
from gridgen.training.loop.learner import Learner
from gridgen.training.recipe import TrainingStep
from gridgen.training.tasks import Segmentation

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.fixture
def no_waiting():
    """Whatever waits for the GPU is an error."""

    def begin():
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")

    yield begin
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("loss", [None, ["dice", {"name": "focal", "gamma": 1.5}]], ids=str)
@pytest.mark.parametrize("name", ["paper", "modern"])
def test_a_step_never_waits_for_the_gpu(name, loss, no_waiting):
    crop = {"smallest": 64, "largest": 64, "size": 64}
    recipe = load_recipe(name).but(batch=4, crop=crop, loss=loss)
    spec = GridSpec(streams=2, columns="1+1", base_channels=8, classes=3)
    task = Segmentation(("a", "b", "c"), ()).with_loss(recipe, (1.0, 2.0, 0.5))
    learner = Learner(build_grid(spec), task, recipe, 0, torch.device("cuda"))
    images, labels = torch.rand(4, 3, 64, 64), torch.randint(3, (4, 64, 64), dtype=torch.uint8)
    batch = images.pin_memory(), labels.pin_memory()
    for number in range(3):
        learner.step(*batch, TrainingStep(number, 100, 10))
    no_waiting()
    for number in range(3, 6):
        outcome = learner.step(*batch, TrainingStep(number, 100, 10))
        task.statistics(outcome.prediction, outcome.labels)
