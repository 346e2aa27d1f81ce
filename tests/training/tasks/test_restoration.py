"""PSNR and loss by hand, and a whole training whose labels are images."""

import math
import shutil
import signal

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import StopAt, bits

from gridgen.data import load_dataset
from gridgen.errors import DataError, Interrupted, SpecError
from gridgen.grid import build_grid
from gridgen.images import read_header, read_image, write_image
from gridgen.spec import GridSpec
from gridgen.training import Recipe, Run, evaluate, open_model, predict, resume, train
from gridgen.training.loop.batches import Batches
from gridgen.training.tasks import Restoration

TASK = Restoration()
SPEC = GridSpec(
    streams=2,
    columns="1+1",
    base_channels=4,
    in_channels=1,
    classes=1,
    units={"upsampling": "bilinear"},
    norm="none",
    activation="prelu",
    stem="residual",
    head="residual",
    size="pad",
)
RECIPE = Recipe(
    epochs=4,
    batch=4,
    learning_rate=0.01,
    crop={"smallest": 24, "largest": 24, "size": 24},
    validate_every=2,
)


def psnr(prediction: torch.Tensor, label: torch.Tensor) -> float:
    return TASK.score(TASK.statistics(prediction, label)).value


def test_psnr_is_that_of_the_squared_error_averaged_over_images():
    label = torch.full((2, 1, 4, 4), 0.5)
    prediction = torch.stack([label[0] + 0.1, label[1] - 0.01])
    assert psnr(prediction, label) == pytest.approx((20 + 40) / 2, abs=1e-3)


def test_psnr_is_of_the_image_as_it_is_written_and_bounded_where_nothing_differs():
    white = torch.ones(1, 3, 4, 4)
    assert psnr(white + 7, white) == 100
    assert psnr(-white, white) == 0


def test_the_loss_is_the_distance_but_for_its_edge():
    label = torch.zeros(1, 1, 2, 2)
    assert TASK.loss(label + 0.5, label) == pytest.approx(math.sqrt(0.25 + 1e-6))
    assert TASK.loss(label, label) == pytest.approx(1e-3)


def quick(ramps, place, watch=None) -> Run:
    return train(
        build_grid(SPEC), f"denoising:{ramps}", RECIPE, folder=place, watch=watch, device="cpu"
    )


@pytest.fixture(scope="module")
def run(ramps, tmp_path_factory) -> Run:
    return quick(ramps, tmp_path_factory.mktemp("runs") / "run")


def test_a_run_notes_what_it_is_scored_by(run, ramps):
    header, *rows = (run.folder / "metrics.csv").read_text("utf-8").splitlines()
    assert header == "epoch,step,learning_rate,loss,train_psnr,val_psnr"
    assert len(rows) == 2
    assert run.facts.classes == ()
    assert run.facts.data == f"denoising:{ramps}"
    assert run.task == Restoration()
    assert (run.checkpoints / "best").is_dir()


@pytest.mark.parametrize("step", [1, 3, 4])
def test_a_stopped_and_resumed_run_equals_the_uninterrupted_one(step, run, ramps, tmp_path):
    with pytest.raises(Interrupted):
        quick(ramps, tmp_path / "run", StopAt(step, signal.SIGTERM))
    assert bits(resume(tmp_path / "run")) == bits(run)


def test_evaluation_stands_beside_the_noisy_image(run, ramps):
    found = evaluate(run.folder, f"denoising:{ramps}")
    assert found.network.value == pytest.approx(run.rows()[-1]["val_psnr"], abs=1e-6)
    assert found.baseline.value == pytest.approx(20 * math.log10(255 / 25), abs=0.5)
    assert found.rows() == [
        ("data", "denoising:ramps, val: 2 images"),
        ("weights", "the last epoch"),
        ("inference", "whole images, fp32"),
        ("PSNR", f"{found.network.value:.2f} dB"),
        ("baseline PSNR", f"{found.baseline.value:.2f} dB  (the image as it is given)"),
        ("margin", f"{found.margin:+.2f} dB"),
    ]
    assert set(found.as_json()) >= {"data", "split", "images", "psnr", "baseline", "margin"}


def test_a_prediction_is_the_restored_image(run, ramps, tmp_path):
    image = ramps / "val" / "images" / "0.png"
    [written] = predict(run.folder, [image], tmp_path)
    assert written.files == [tmp_path / "0.png", tmp_path / "0_restored.png"]
    with Image.open(written.answer) as restored:
        assert (restored.mode, restored.size) == ("L", (32, 32))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 12])
def test_a_restored_image_has_the_channels_and_the_depth_of_its_file(channels, bits, tmp_path):
    images, spec = tmp_path / "data", SPEC.but(in_channels=channels, classes=channels)
    once = RECIPE.but(epochs=1, crop={"smallest": 16, "largest": 16, "size": 16})
    for split in ("train", "val"):
        (images / split / "images").mkdir(parents=True)
        path = images / split / "images" / "a.tif"
        write_image(path, torch.rand(channels, 16, 20), bits=bits)
    trained = train(build_grid(spec), f"denoising:{images}", once, folder=tmp_path / "run")
    [written] = predict(trained.folder, [path], tmp_path / "out")
    suffix = ".png" if channels in (1, 3) else ".tif"
    assert written.answer == tmp_path / "out" / f"a_restored{suffix}"
    header = read_header(written.answer)
    assert (header.channels, header.bits, header.size) == (channels, bits, (16, 20))
    answer = open_model(trained.folder)(path)
    found = read_image(written.answer, white=2**bits - 1).movedim(0, -1).numpy()
    assert np.abs(found - answer).max() <= 0.51 / (2**bits - 1)


def test_a_picture_and_a_file_are_never_written_over_an_image(run, ramps, tmp_path):
    image = tmp_path / "a_restored.png"
    Image.new("L", (8, 8)).save(image)
    other = tmp_path / "a.png"
    Image.new("L", (8, 8)).save(other)
    with pytest.raises(DataError):
        predict(run.folder, [other, image], tmp_path)


def test_data_with_classes_is_refused(run):
    with pytest.raises(DataError) as caught:
        evaluate(run.folder, "shapes")
    assert str(caught.value) == (
        f"shapes is scored by IoU, but {run.folder} was trained for PSNR on "
        f"{run.facts.data}; name such data"
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"classes": 3}, "classes: 3, but the data denoising:ramps has 1; set classes: 1"),
        (
            {"side_channels": [4]},
            "side_channels: the data denoising:ramps has images alone, no features to enter; "
            "remove this field",
        ),
    ],
)
def test_a_spec_that_does_not_fit_is_refused(changes, text, ramps, tmp_path):
    with pytest.raises(SpecError) as caught:
        train(build_grid(SPEC.but(**changes)), f"denoising:{ramps}", RECIPE, folder=tmp_path / "r")
    assert str(caught.value) == text
    assert not (tmp_path / "r").exists()


def refusal(ramps, place, recipe) -> str:
    """The error before anything is written."""
    with pytest.raises((SpecError, DataError)) as caught:
        train(build_grid(SPEC), f"denoising:{ramps}", recipe, folder=place)
    assert not place.exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("smallest", "largest", "size"), [(16, 24, 24), (24, 24, 16), (16, 16, 24)]
)
def test_a_recipe_that_resizes_crops_is_shown_at_its_line(smallest, largest, size, ramps, tmp_path):
    crop = f"crop: {{smallest: {smallest}, largest: {largest}, size: {size}}}"
    recipe = Recipe.parse(f"epochs: 1\nbatch: 1\nlearning_rate: 0.1\n{crop}\n", "r.yaml")
    assert refusal(ramps, tmp_path / "r", recipe) == (
        f"r.yaml:4:7: crop: smallest {smallest}, largest {largest} and size {size} differ, "
        f"but resizing changes the noise of denoising:ramps; set all three to {size}\n"
        f"     4 | {crop}\n"
        "       |       ^"
    )


def test_an_image_smaller_than_the_crop_is_refused(ramps, tmp_path):
    root = tmp_path / "mixed"
    shutil.copytree(ramps, root)
    Image.new("L", (40, 20)).save(root / "train" / "images" / "low.png")
    Image.new("L", (23, 40)).save(root / "train" / "images" / "narrow.png")
    assert refusal(root, tmp_path / "r", RECIPE) == (
        "denoising:mixed, train, image low: Image is 20x40; enlarging it to crops of 24 changes "
        "the noise. Set smallest, largest and size of the recipe's crop to 20 or less, or remove "
        "the image."
    )


def test_a_batch_is_cut_from_the_noisy_images_and_never_resized(ramps):
    dataset = load_dataset(f"denoising:{ramps}", "train")
    noise = torch.cat([(dataset[i].image - dataset[i].label).flatten() for i in range(8)])
    images, labels = Batches(dataset, RECIPE, seed=0)[0]
    assert torch.isin(images - labels, noise).all()


class Bands:
    """What the check of a recipe asks of a dataset."""

    name, sizes = "bands", ((512, 512),)


@pytest.mark.parametrize("amount", [0.0, 0.1])
def test_augmentation_of_labels_that_are_images_is_refused_where_it_changes_them(amount):
    text = f"extends: denoising\naugmentation:\n  noise: {amount}\n"
    asked = Recipe.parse(text, "mine.yaml")
    if not amount:
        TASK.require(asked, Bands())
        return
    with pytest.raises(SpecError) as caught:
        TASK.require(asked, Bands())
    assert str(caught.value).splitlines()[0].split(": ", 1)[1] == (
        "augmentation: bands has images for labels, which this would change; set augmentation: null"
    )
