"""Whether a recipe's inference and the images of a dataset fit, known before training."""

import pytest
from PIL import Image

from gridgen.data import load_dataset
from gridgen.errors import SizeError, SpecError
from gridgen.spec import GridSpec
from gridgen.training import Recipe
from gridgen.training.tasks.requirements import Splits, load_splits, require_fit, require_splits

STRICT = GridSpec(streams=3, columns="1+1", base_channels=2, classes=3, size="error")
GREY = STRICT.but(in_channels=1, classes=1)
TEXT = """\
epochs: 1
batch: 2
learning_rate: 0.01
crop: {smallest: 16, largest: 16, size: 16}
"""


@pytest.fixture(scope="module")
def shapes() -> Splits:
    return load_splits("shapes")


def recipe(tmp_path, inference: str) -> Recipe:
    path = tmp_path / "mine.yaml"
    path.write_text(f"{TEXT}inference: {inference}\n")
    return Recipe.load(path)


def test_a_window_that_the_grid_cannot_take_is_shown_in_the_recipe(shapes, tmp_path):
    with pytest.raises(SpecError) as caught:
        require_splits(STRICT, shapes, recipe(tmp_path, "{window: 33}"))
    assert str(caught.value) == (
        f"{tmp_path}/mine.yaml:5:21: inference.window: 33, but 3 streams need multiples of 4; "
        "set window: 36, or size: pad in the spec\n"
        "     5 | inference: {window: 33}\n"
        "       |                     ^"
    )


def test_an_inference_with_a_name_is_blamed_where_it_is_named(shapes, tmp_path):
    (tmp_path / "seen.yaml").write_text("window: 33\n")
    with pytest.raises(SpecError) as caught:
        require_splits(STRICT, shapes, recipe(tmp_path, str(tmp_path / "seen.yaml")))
    assert str(caught.value).startswith(f"{tmp_path}/mine.yaml:5:12: inference: 33, but 3 streams ")


def test_scales_are_refused_where_images_must_not_be_resized(ramps, tmp_path):
    splits = load_splits(f"denoising:{ramps}")
    require_splits(GREY, splits, recipe(tmp_path, "{window: 16}"))
    with pytest.raises(SpecError) as caught:
        require_splits(GREY, splits, recipe(tmp_path, "{scales: [0.5, 1]}"))
    assert str(caught.value).splitlines()[0] == (
        f"{tmp_path}/mine.yaml:5:21: inference.scales: 0.5, 1, but resizing an image changes its "
        "noise; set scales: [1]"
    )


def test_a_loss_of_other_labels_is_shown_in_the_recipe(shapes, ramps):
    of_classes = Recipe.parse(f"{TEXT}loss: [charbonnier, dice]\n", "r.yaml")
    of_images = Recipe.parse(f"{TEXT}loss: charbonnier\n", "r.yaml")
    noise = load_splits(f"denoising:{ramps}")
    require_splits(GREY, noise, of_images)
    with pytest.raises(SpecError) as caught:
        require_splits(GREY, noise, of_classes)
    assert str(caught.value).splitlines()[0] == (
        "r.yaml:5:7: loss: dice, but denoising:ramps is for restoration; "
        "set loss: charbonnier, or remove this field"
    )
    with pytest.raises(SpecError) as caught:
        require_splits(STRICT, shapes, of_images)
    assert str(caught.value).splitlines()[0] == (
        "r.yaml:5:7: loss: charbonnier, but shapes is for segmentation; "
        "set loss: cross-entropy or dice or focal, or remove this field"
    )


def test_a_recipe_of_no_file_names_the_field(shapes):
    plain = Recipe(
        epochs=1, batch=2, learning_rate=0.01, crop={"smallest": 16, "largest": 16, "size": 16}
    )
    with pytest.raises(SpecError) as caught:
        require_splits(STRICT, shapes, plain.but(inference={"window": 33}))
    assert str(caught.value) == (
        "inference.window: 33, but 3 streams need multiples of 4; "
        "set window: 36, or size: pad in the spec"
    )


@pytest.fixture(scope="module")
def uneven(tmp_path_factory) -> Splits:
    """One image of train, one of val that is no multiple of 4."""
    root = tmp_path_factory.mktemp("uneven")
    for split, size in (("train", (32, 32)), ("val", (47, 33))):
        for part in ("images", "labels"):
            (root / split / part).mkdir(parents=True)
        Image.new("RGB", size).save(root / split / "images" / "a.png")
        Image.new("L", size).save(root / split / "labels" / "a.png")
    (root / "classes.txt").write_text(
        "".join(f"{i}\tc{i}\t{i}\t{i}\t{i}\tclass\n" for i in range(3))
    )
    return load_splits(str(root))


@pytest.mark.parametrize(
    "inference", ["{scales: [0.5]}", "{window: 16}", "{window: 32, flip: true}"]
)
def test_an_image_that_windows_or_scales_make_legal_is_taken(uneven, tmp_path, inference):
    require_splits(STRICT, uneven, recipe(tmp_path, inference))


@pytest.mark.parametrize(
    ("inference", "size"), [("whole", "33x47"), ("{window: 36}", "33x36"), ("multiscale", "33x47")]
)
def test_what_is_given_of_an_image_must_be_legal(uneven, tmp_path, inference, size):
    held_out = Splits(uneven.train, uneven.train, uneven.val)
    for splits, part in ((uneven, "val"), (held_out, "holdout")):
        with pytest.raises(SizeError) as caught:
            require_splits(STRICT, splits, recipe(tmp_path, inference))
        assert f", {part}, image a: Image is {size}; 3 streams " in str(caught.value)


def test_volumes_are_not_trained_on():
    """There is no dataset of them yet."""
    spec = GridSpec(
        streams=2, columns="1+1", base_channels=2, classes=3, dimensions=3, in_channels=1
    )
    with pytest.raises(SpecError) as caught:
        require_fit(spec, load_dataset("nuclei"))
    assert str(caught.value) == "dimensions: 3, but the data nuclei has images; set dimensions: 2"
