"""What a training with any losses needs, against what torch allocates."""

import pytest

from gridgen.grid import build_grid
from gridgen.memory import Setting, count_memory
from gridgen.memory.losses import COSTS, DISTANCE, SMOOTHED
from gridgen.space import Budget
from gridgen.spec import GridSpec
from gridgen.training.recipe import load_recipe, setting_of
from gridgen.training.recipe.losses import LOSSES
from tests.oracles.tracking import DEVICE, tracked

# Of so many classes on so few maps the loss decides what is needed.
GRID = build_grid(GridSpec(streams=2, columns="1+1", base_channels=4, classes=19))
SIZE = (32, 48)
SUMS = [
    *([name] for name in LOSSES if name in COSTS),
    ["cross-entropy", "dice"],
    ["dice", "focal", "dice"],
]


def needed(**fields):
    return count_memory(GRID, SIZE, Setting(batch=2, device=DEVICE, **fields))


@pytest.mark.parametrize("losses", SUMS, ids="+".join)
@pytest.mark.parametrize("smoothed", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_losses_need_what_torch_allocates(losses, smoothed, precision):
    chosen = Setting(batch=2, device=DEVICE, loss=losses, smoothed=smoothed, precision=precision)
    predicted, truth = count_memory(GRID, SIZE, chosen), tracked(GRID, SIZE, chosen)
    close = 1e-3 if precision == "fp32" else 1e-2
    assert predicted.saved == pytest.approx(truth.saved, rel=close)
    assert predicted.peak_training == pytest.approx(truth.peak_training, rel=close)


@pytest.mark.parametrize("name", [name for name in LOSSES if name in COSTS])
@pytest.mark.parametrize("smoothed", [False, True])
@pytest.mark.parametrize("classes", [1, 2])
def test_losses_of_few_classes_need_what_torch_allocates(name, smoothed, classes):
    """Then what a loss needs for each pixel outweighs what it needs for each class."""
    grid = build_grid(GRID.spec.but(streams=1, base_channels=1, classes=classes, head="conv"))
    chosen = Setting(batch=2, device=DEVICE, loss=[name], smoothed=smoothed)
    predicted, truth = count_memory(grid, SIZE, chosen), tracked(grid, SIZE, chosen)
    assert predicted.peak_training == pytest.approx(truth.peak_training, rel=1e-3)


def test_every_loss_of_classes_is_known():
    assert set(COSTS) == set(SMOOTHED) == set(LOSSES) - {"charbonnier"} | {DISTANCE}


def test_other_losses_are_counted_as_cross_entropy():
    assert needed(loss=["my-own"]) == needed()


def test_a_recipe_says_its_losses():
    recipe = load_recipe("paper", loss=["cross-entropy", "dice"], label_smoothing=0.1)
    setting = setting_of(recipe)
    assert (setting.loss, setting.smoothed) == (("cross-entropy", "dice"), True)
    assert setting_of(load_recipe("paper")).loss == ("cross-entropy",)


def test_a_budget_counts_the_losses_that_it_names():
    budget = Budget(size=SIZE, batch=2, training_memory="1GB", loss=["dice"])
    [verdict] = budget.verdict(GRID)
    assert verdict.cost == count_memory(GRID, SIZE, Setting(batch=2, loss=["dice"])).peak_training
