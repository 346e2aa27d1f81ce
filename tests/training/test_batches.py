"""Batches follow from the step's number; image and label stay aligned."""

import numpy as np
import pytest
import torch

from gridgen.data import Sample, load_dataset
from gridgen.training import Recipe
from gridgen.training.batches import Batches, augment
from gridgen.training.recipe import Crop


class Numbered:
    """Ten samples; the label of a pixel is its red value times 100."""

    name, classes, colours, channels = "numbered", ("a", "b"), ((0, 0, 0), (1, 1, 1)), 3

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Sample:
        label = torch.full((12, 20), index)
        return Sample(str(index), (label / 100).expand(3, -1, -1).float(), label)


def recipe(**fields) -> Recipe:
    plain = {"epochs": 3, "batch": 4, "learning_rate": 0.1}
    plain["crop"] = {"smallest": 8, "largest": 8, "size": 8}
    return Recipe.of(**(plain | fields))


def indices(batches: Batches, step: int) -> list[int]:
    return [int(label[0, 0]) for label in batches[step][1]]


def test_an_epoch_shows_every_image_and_fills_its_last_batch():
    batches = Batches(Numbered(), recipe(), seed=1)
    assert batches.per_epoch == 3
    epoch = [index for step in range(3) for index in indices(batches, step)]
    assert sorted(epoch[:10]) == list(range(10))
    assert len(epoch) == 12


def test_epochs_and_seeds_have_other_orders():
    first, other = Batches(Numbered(), recipe(), seed=1), Batches(Numbered(), recipe(), seed=2)
    assert indices(first, 0) != indices(first, 3)
    assert indices(first, 0) != indices(other, 0)


def test_a_batch_depends_on_seed_and_step_alone():
    dataset = load_dataset("shapes")
    again = [Batches(dataset, recipe(), seed=5)[7] for _ in range(2)]
    assert torch.equal(again[0][0], again[1][0])
    assert torch.equal(again[0][1], again[1][1])


def test_two_processes_share_the_batch_of_one():
    whole = Batches(Numbered(), recipe(), seed=1)[2][0]
    shares = [Batches(Numbered(), recipe(), seed=1, rank=r, world=2)[2][0] for r in (0, 1)]
    assert torch.equal(whole[0::2], shares[0])
    assert torch.equal(whole[1::2], shares[1])


def test_the_loader_begins_at_any_step():
    batches = Batches(Numbered(), recipe(), seed=1)
    later = [labels[:, 0, 0].tolist() for _, labels in batches.loader(7, torch.device("cpu"))]
    assert later == [indices(batches, 7), indices(batches, 8)]


def corner(height: int, width: int, row: int, column: int) -> Sample:
    """One pixel of class 1 and of white."""
    label = torch.zeros(height, width, dtype=torch.int64)
    label[row, column] = 1
    return Sample("corner", label[None].float().expand(3, -1, -1), label)


def test_image_and_label_are_cropped_and_mirrored_together():
    crop = Crop.of(smallest=6, largest=6, size=6)
    for seed in range(60):
        image, label = augment(corner(9, 11, 4, 5), crop, True, np.random.default_rng(seed))
        assert torch.equal(image[0], label.float())


def test_half_of_the_images_are_mirrored():
    crop = Crop.of(smallest=8, largest=8, size=8)
    sample = corner(8, 8, 0, 0)
    mirrored = sum(
        int(augment(sample, crop, True, np.random.default_rng(seed))[1][0, 7])
        for seed in range(600)
    )
    assert mirrored == pytest.approx(300, abs=60)


def test_crop_sides_are_uniform_between_the_bounds():
    ramp = torch.arange(64.0).expand(64, 64)
    sample = Sample("ramp", ramp[None] / 64, torch.zeros(64, 64, dtype=torch.int64))
    crop = Crop.of(smallest=20, largest=60, size=40)
    sides = []
    for seed in range(400):
        image, _ = augment(sample, crop, False, np.random.default_rng(seed))
        sides.append(float(image[0, 20, 30] - image[0, 20, 10]) * 64 * 2)
    assert min(sides) == pytest.approx(20, abs=2)
    assert max(sides) == pytest.approx(60, abs=2)
    assert sum(sides) / len(sides) == pytest.approx(40, abs=2)


def test_labels_are_resized_as_pillow_does_it():
    from PIL import Image

    label = torch.from_numpy(np.random.default_rng(0).integers(0, 5, (30, 30)))
    sample = Sample("random", torch.zeros(1, 30, 30), label)
    crop = Crop.of(smallest=30, largest=30, size=17)
    _, resized = augment(sample, crop, False, np.random.default_rng(0))
    picture = Image.fromarray(label.numpy().astype(np.uint8))
    expected = np.asarray(picture.resize((17, 17), Image.Resampling.NEAREST))
    assert np.array_equal(resized.numpy(), expected)


def test_an_image_smaller_than_the_crop_is_enlarged():
    crop = Crop.of(smallest=400, largest=1024, size=32)
    image, label = augment(corner(9, 11, 4, 5), crop, True, np.random.default_rng(0))
    assert image.shape == (3, 32, 32)
    assert label.shape == (32, 32)
