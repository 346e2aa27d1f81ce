"""Recipes and the learning rate of Torch7's Adam."""

import pytest

from gridgen.errors import SpecError
from gridgen.training import RECIPES, Recipe, load_recipe
from gridgen.training.recipe import learning_rate
from gridgen.training.run import dump


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_recipe_loads_and_survives_being_written(name):
    recipe = load_recipe(name)
    assert Recipe.parse(dump(recipe)) == recipe


@pytest.mark.parametrize(
    ("iteration", "expected"),
    [(0, 0.01), (599_999, 0.0025), (600_000, 0.00025), (1_424_999, 1.23e-4)],
)
def test_the_papers_learning_rate_decays_by_iteration_and_drops_at_epoch_800(iteration, expected):
    rate = learning_rate(load_recipe("paper"), iteration, epoch=iteration // 750)
    assert rate == pytest.approx(expected, rel=2e-3)


def test_the_papers_recipe_is_section_4():
    recipe = load_recipe("paper")
    assert (recipe.epochs, recipe.batch, recipe.betas, recipe.epsilon) == (
        1900,
        4,
        (0.9, 0.999),
        1e-8,
    )
    assert (recipe.crop.smallest, recipe.crop.largest, recipe.crop.size) == (400, 1024, 400)


def test_a_misspelt_recipe_gets_the_nearest_known_one():
    with pytest.raises(SpecError) as caught:
        load_recipe("papr")
    assert str(caught.value) == (
        "'papr' is no recipe; did you mean 'paper'?; the path of a YAML file works too"
    )


def test_a_crop_whose_bounds_are_swapped_is_shown_at_its_line():
    with pytest.raises(SpecError) as caught:
        Recipe.parse(
            "epochs: 1\nbatch: 1\nlearning_rate: 0.1\ncrop: {smallest: 9, largest: 8, size: 8}\n",
            "r.yaml",
        )
    assert str(caught.value) == (
        "r.yaml:4:7: crop: smallest 9 is more than largest 8\n"
        "     4 | crop: {smallest: 9, largest: 8, size: 8}\n"
        "       |       ^"
    )
