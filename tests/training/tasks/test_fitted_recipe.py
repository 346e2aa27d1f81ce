"""The recipe that a folder gets where none is named, and what is left out of any recipe."""

import builtins

import pytest
import torch

from gridgen.data import DATASETS
from gridgen.errors import DataError, SpecError
from gridgen.spec import GridSpec
from gridgen.training import Recipe, load_recipe
from gridgen.training.tasks.augmentation import amounts
from gridgen.training.tasks.fitting import STEPS, ChosenRecipe

CPU, GPU = torch.device("cpu"), torch.device("cuda")
SPEC = GridSpec(streams=5, columns="1+1", base_channels=2, classes=2)
MODERN = load_recipe("modern")


class Pictures:
    """What a recipe is fitted to: number, sizes and channels of images."""

    name = "pictures"

    def __init__(self, number: int, side: int, channels: int = 3) -> None:
        self.channels, self.sizes = channels, ((side, 2 * side),) * number

    def __len__(self) -> int:
        return len(self.sizes)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The name of a folder, as its files are not read here."""
    monkeypatch.chdir(tmp_path)
    return "."


def fitted(pictures, settings=None, device=GPU, spec=SPEC):
    return ChosenRecipe.of(settings, ".").suited(pictures, spec, device)


@pytest.mark.parametrize("number", [1, 3, 16, 17, 500, 12_800, 100_000])
@pytest.mark.parametrize("batch", [1, 16])
def test_epochs_make_4000_steps_and_no_epoch_more(number, batch, folder):
    recipe, _ = fitted(Pictures(number, 64), {"batch": batch})
    per_epoch = -(-number // batch)
    assert (recipe.epochs - 1) * per_epoch < STEPS <= recipe.epochs * per_epoch


@pytest.mark.parametrize("number", [1, 500, 100_000])
def test_validations_and_warm_up_keep_their_share_of_the_training(number, folder):
    recipe, _ = fitted(Pictures(number, 64))
    share = recipe.epochs / MODERN.epochs
    assert recipe.schedule.warmup == pytest.approx(MODERN.schedule.warmup * share)
    assert recipe.validate_every == max(round(MODERN.validate_every * share), 1)


@pytest.mark.parametrize(
    ("side", "crop"),
    [
        (12, (9, 12, 16)),
        (64, (27, 64, 48)),
        (256, (109, 256, 192)),
        (512, (200, 512, 352)),
        (720, (200, 720, 352)),
        (4000, (200, 720, 352)),
    ],
)
def test_crops_fit_the_images_and_the_network(side, crop, folder):
    recipe, _ = fitted(Pictures(3, side))
    assert (recipe.crop.smallest, recipe.crop.largest, recipe.crop.size) == crop


def test_one_small_image_does_not_decide_for_all(folder):
    pictures = Pictures(3, 512)
    pictures.sizes = ((20, 20), *pictures.sizes)
    assert fitted(pictures)[0].crop == fitted(Pictures(3, 512))[0].crop


def test_everything_else_is_modern(folder):
    recipe, _ = fitted(Pictures(100, 900))
    own = ("epochs", "validate_every", "schedule", "crop")
    assert recipe.but(**{field: getattr(MODERN, field) for field in own}) == MODERN
    assert fitted(Pictures(100, 900), device=CPU)[0].precision == "fp32"


def test_fields_that_are_given_win(folder):
    settings = {
        "epochs": 2,
        "crop.size": 32,
        "schedule.name": "torch7",
        "validate_every": 2,
        "precision": "bf16",
        "augmentation.hue": 0.1,
    }
    recipe, line = fitted(Pictures(40, 64), settings, CPU)
    assert (recipe.epochs, recipe.crop.size, recipe.schedule.name) == (2, 32, "torch7")
    assert (recipe.validate_every, recipe.precision) == (2, "bf16")
    assert recipe.augmentation == MODERN.augmentation.but(hue=0.1)
    assert "6 steps in 2 epochs" in line[0]


def test_a_number_of_epochs_takes_the_warm_up_with_it(folder):
    recipe, _ = fitted(Pictures(40, 64), {"epochs": 1})
    assert recipe.schedule.warmup == pytest.approx(MODERN.schedule.warmup / MODERN.epochs)


def test_the_line_tells_how_long_it_takes(folder):
    _, lines = fitted(Pictures(3, 64))
    assert lines == [
        "recipe modern, fitted to 3 images: 4,000 steps in 4,000 epochs, each of 16 crops of 27 to "
        "64 pixels, seen as 48x48; --recipe names another"
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"epochs": 0}, "recipe: epochs: 0 is less than 1"),
        ({"epoch": 3}, "recipe: epoch: unknown field 'epoch'; did you mean 'epochs'?"),
        ({"crop.smallest": 99}, "recipe: crop: smallest 99 is more than largest 64"),
        ({"batch": "many"}, "recipe: batch: 'many' is not a whole number"),
    ],
)
def test_fields_that_cannot_be_are_refused(settings, told, folder):
    with pytest.raises(SpecError) as caught:
        fitted(Pictures(3, 64), settings)
    assert str(caught.value).splitlines()[0] == told


def test_what_needs_kornia_is_left_out_of_the_fitted_recipe_where_that_is_missing(
    folder, monkeypatch
):
    load = builtins.__import__

    def refusing(name, *arguments, **named):
        if name.startswith("kornia"):
            raise ModuleNotFoundError(name)
        return load(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", refusing)
    recipe, lines = fitted(Pictures(3, 64, channels=1))
    assert amounts(recipe) == {"rotation": 5.0}
    needing = "without brightness, contrast, blur, which need pip install 'gridgen[augment]'"
    assert f", {needing}; --recipe names another" in lines[0]
    assert lines[1:] == ["saturation and hue of the recipe are left out: pictures has 1 channel"]


@pytest.mark.parametrize("name", ["modern", "paper"])
def test_a_recipe_that_is_named_stays_as_it_is(name, folder):
    assert ChosenRecipe.of(name, ".").suited(Pictures(3, 64), SPEC, CPU) == (load_recipe(name), [])


@pytest.mark.parametrize("name", [name for name, entry in DATASETS.items() if not entry.fitted])
def test_datasets_with_a_recipe_of_their_own_take_that_as_it_is(name):
    own = load_recipe(DATASETS[name].recipe)
    for asked, recipe in ((None, own), ({"epochs": 900}, own.but(epochs=900))):
        assert ChosenRecipe.of(asked, name).suited(Pictures(3, 64), SPEC, GPU) == (recipe, [])


def test_saturation_and_hue_are_left_out_of_any_recipe_on_grey_images():
    asked = ChosenRecipe.of(Recipe(extends="modern", batch=3), "shapes")
    recipe, lines = asked.suited(Pictures(3, 64, channels=1), SPEC, CPU)
    assert lines == [
        "saturation and hue of the recipe are left out: pictures has 1 channel",
    ]
    kept = asked.recipe.augmentation.but(saturation=0.0, hue=0.0)
    assert recipe == asked.recipe.but(augmentation=kept)


def test_one_change_is_told_in_the_singular():
    asked = ChosenRecipe.of(load_recipe("paper", augmentation={"hue": 0.1}), "shapes")
    assert asked.suited(Pictures(3, 64, channels=1), SPEC, CPU)[1] == [
        "hue of the recipe is left out: pictures has 1 channel"
    ]


@pytest.mark.parametrize(
    ("settings", "crop"),
    [
        ({"crop.largest": 16}, (16, 16, 192)),
        ({"crop.size": 64}, (36, 256, 64)),
        ({"crop": {"smallest": 50}}, (50, 256, 192)),
        ({"crop.smallest": 8, "crop.largest": 32, "crop.size": 32}, (8, 32, 32)),
    ],
)
def test_a_field_of_the_crop_stands_and_the_others_are_fitted_to_it(settings, crop, folder):
    recipe, _ = fitted(Pictures(3, 256), settings)
    assert (recipe.crop.smallest, recipe.crop.largest, recipe.crop.size) == crop


def test_images_that_are_too_small_to_crop_are_refused(folder):
    with pytest.raises(DataError) as error:
        fitted(Pictures(3, 1))
    assert str(error.value) == (
        "pictures: half of its 3 images are at most 1 pixels high or wide, too small to crop; "
        "8 are the least"
    )


def test_another_field_of_the_schedule_leaves_the_warm_up(folder):
    pictures = Pictures(16, 64)
    alone = fitted(pictures)[0].schedule
    assert alone.warmup > 0
    assert fitted(pictures, {"schedule.floor": 0.01})[0].schedule.warmup == alone.warmup
    assert fitted(pictures, {"schedule.warmup": 2.0})[0].schedule.warmup == 2
    assert not hasattr(fitted(pictures, {"schedule": {"name": "torch7"}})[0].schedule, "warmup")
