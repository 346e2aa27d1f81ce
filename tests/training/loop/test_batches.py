"""Batches follow from the step's number; image and label stay aligned."""

import numpy as np
import pytest
import torch
from PIL import Image

from gridgen.data import Sample, load_dataset
from gridgen.training import Recipe
from gridgen.training.loop.batches import Batches, random_crop
from gridgen.training.recipe import Crop


class Numbered:
    """Ten samples; the label of a pixel is its red value times 100."""

    name, classes, channels = "numbered", tuple("abcdefghij"), 3
    names, sizes = tuple(map(str, range(10))), ((12, 20),) * 10

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Sample:
        label = torch.full((12, 20), index)
        return Sample(str(index), (label / 100).expand(3, -1, -1).float(), label)


def recipe(**fields) -> Recipe:
    plain = {"epochs": 3, "batch": 4, "learning_rate": 0.1}
    plain["crop"] = {"smallest": 8, "largest": 8, "size": 8}
    return Recipe(**(plain | fields))


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
    later = [labels[:, 0, 0].tolist() for _, labels in batches.loader(7, torch.device("cpu"), 0)]
    assert later == [indices(batches, 7), indices(batches, 8)]


def corner(height: int, width: int, row: int, column: int) -> Sample:
    """One pixel of class 1 and of white."""
    label = torch.zeros(height, width, dtype=torch.int64)
    label[row, column] = 1
    return Sample("corner", label[None].float().expand(3, -1, -1), label)


def test_image_and_label_are_cropped_and_mirrored_together():
    crop = Crop(smallest=8, largest=8, size=8)
    for seed in range(60):
        image, label = crop_of(corner(12, 14, 5, 7), crop, True, seed)
        assert torch.equal(image[0], label.float())


def cut(sample: Sample, seed: int, flip: bool = False, **crop: int):
    return crop_of(sample, Crop(**crop), flip, seed)


def crop_of(sample: Sample, crop: Crop, flip: bool, seed: int):
    alone = Alone([sample])
    return random_crop(alone, 0, crop, flip, np.random.default_rng(seed))


class Alone(list):
    """A dataset of one sample, whose labels are anything."""

    classes = ()

    @property
    def sizes(self):
        return [sample.image.shape[-2:] for sample in self]


def ramps(height: int = 64, width: int = 64) -> Sample:
    """An image that says where its pixels come from: column and row."""
    columns = torch.arange(float(width)).expand(height, width)
    rows = torch.arange(float(height))[:, None].expand(height, width)
    label = torch.zeros(height, width, dtype=torch.int64)
    return Sample("ramps", torch.stack([columns, rows]), label)


def require_uniform(counts: np.ndarray, bound: float) -> None:
    """Pearson's chi-square is below its 99.9 % quantile."""
    expected = counts.sum() / len(counts)
    assert ((counts - expected) ** 2 / expected).sum() < bound


def test_crop_sides_are_uniform_from_smallest_to_largest():
    sides = []
    for seed in range(4100):
        image, _ = cut(ramps(), seed, smallest=20, largest=60, size=40)
        slope = float(image[0, 20, 30] - image[0, 20, 10]) / 20
        assert slope == pytest.approx(float(image[1, 30, 20] - image[1, 10, 20]) / 20, abs=1e-4)
        sides.append(round(slope * 40))
    assert (min(sides), max(sides)) == (20, 60)
    require_uniform(np.bincount(sides)[20:], 73.4)  # 40 degrees of freedom


def test_crops_lie_anywhere_in_the_image():
    places = []
    for seed in range(2000):
        image, _ = cut(ramps(40, 50), seed, smallest=30, largest=30, size=30)
        places.append([int(image[0, 0, 0]), int(image[1, 0, 0])])
    left, top = np.array(places).T
    require_uniform(np.bincount(left, minlength=21), 45.3)  # 20 degrees of freedom
    require_uniform(np.bincount(top, minlength=11), 29.6)  # 10 degrees of freedom
    assert abs(np.corrcoef(left, top)[0, 1]) < 3.3 / 2000**0.5


def test_half_of_the_images_are_mirrored_wherever_their_crop_lies():
    mirrored, left = [], []
    for seed in range(2000):
        row = cut(ramps(), seed, flip=True, smallest=40, largest=40, size=40)[0][0, 0]
        mirrored.append(bool(row[0] > row[-1]))
        left.append(float(row.min()))
    assert sum(mirrored) == pytest.approx(1000, abs=74)  # 3.3 standard deviations
    assert abs(np.corrcoef(mirrored, left)[0, 1]) < 3.3 / 2000**0.5
    assert not any(
        cut(corner(8, 8, 0, 0), s, smallest=8, largest=8, size=8)[1][0, 7] for s in range(9)
    )


def test_any_image_may_be_the_first_of_an_epoch():
    first = [indices(Batches(Numbered(), recipe(), seed), 0)[0] for seed in range(1000)]
    require_uniform(np.bincount(first, minlength=10), 27.9)  # 9 degrees of freedom


def test_an_order_is_drawn_once_for_all_images_of_an_epoch():
    batches = Batches(Numbered(), recipe(), seed=1)
    fresh = [np.random.default_rng((1, 1, 0, turn)).permutation(10) for turn in (0, 1)]
    epoch = [index for step in range(3) for index in indices(batches, step)]
    assert epoch == [*fresh[0], *fresh[1][:2]]


@pytest.mark.parametrize(("smallest", "size"), [(60, 23), (40, 40), (21, 64)])
def test_an_edge_of_the_image_stays_within_half_a_pixel_of_the_labels(smallest, size):
    """Values are the label, so a row's sum is how many pixels lie beyond the edge."""
    label = torch.zeros(64, 64, dtype=torch.int64)
    label[:, 33:] = 1
    sample = Sample("edge", label[None].float(), label)
    seen = 0
    for seed in range(100):
        image, ids = cut(sample, seed, flip=True, smallest=smallest, largest=smallest, size=size)
        beyond, total = image[0].sum(1), ids.sum(1).float()
        assert (ids == ids[:1]).all()
        # At the edge of the crop the filter is cut off.
        if 3 * size / smallest < float(total[0]) < size - 3 * size / smallest:
            assert (beyond - total).abs().max() <= 0.5 + 1e-3
            seen += 1
    assert seen > 20


@pytest.mark.parametrize("size", [9, 17, 30, 43, 64])
def test_crops_are_resized_as_pillow_does_it(size):
    rng = np.random.default_rng(0)
    ids, pixels = rng.integers(0, 5, (30, 30)), rng.integers(0, 256, (30, 30, 3), dtype=np.uint8)
    image = torch.from_numpy(pixels).permute(2, 0, 1) / 255
    sample = Sample("random", image, torch.from_numpy(ids))
    resized, label = cut(sample, 0, smallest=30, largest=30, size=size)
    nearest = Image.fromarray(ids.astype(np.uint8)).resize((size, size), Image.Resampling.NEAREST)
    smooth = Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR)
    assert np.array_equal(label.numpy(), np.asarray(nearest))
    difference = resized.permute(1, 2, 0).numpy() * 255 - np.asarray(smooth)
    assert np.abs(difference).max() < 1.1  # Pillow rounds to 8 bits after each of two passes


def test_an_image_smaller_than_the_crop_is_enlarged():
    crop = Crop(smallest=400, largest=1024, size=32)
    image, label = crop_of(corner(9, 11, 4, 5), crop, True, 0)
    assert image.shape == (3, 32, 32)
    assert label.shape == (32, 32)
