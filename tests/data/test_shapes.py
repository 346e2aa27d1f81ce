from dataclasses import replace

import pytest
import torch

from gridgen.data.shapes import (
    BACKGROUND,
    KEYS,
    KINDS,
    LARGER,
    PANEL,
    SIDE,
    SMALLER,
    SPLITS,
    Shapes,
    _drawn,
    _panel,
    draw,
    imagine,
)

STEPS = 16


def with_key(scene, radius):
    """The same picture with a key of another size."""
    return draw(replace(scene, key=replace(scene.key, radius=radius)))


def iou(predicted, label):
    """Mean over the classes of TP / (TP + FP + FN)."""
    pairs = [(predicted == k, label == k) for k in (BACKGROUND, LARGER, SMALLER)]
    return sum(float((a & b).sum() / (a | b).sum()) for a, b in pairs) / len(pairs)


@pytest.mark.parametrize("split", SPLITS)
def test_the_same_seed_gives_the_same_bytes(split):
    first = Shapes(split, seed=3)[5]
    _drawn.cache_clear()
    second = Shapes(split, seed=3)[5]
    assert torch.equal(first.image, second.image)
    assert torch.equal(first.label, second.label)


def test_samples_do_not_depend_on_the_order_of_reading():
    dataset = Shapes()
    late = dataset[7].image
    _drawn.cache_clear()
    assert all(torch.equal(Shapes()[index].image, dataset[index].image) for index in (3, 0))
    assert torch.equal(dataset[7].image, late)


def test_a_sample_that_is_changed_changes_no_other():
    sample, before = Shapes()[2], Shapes()[2]
    sample.image.zero_()
    sample.label.zero_()
    assert torch.equal(Shapes()[2].image, before.image)
    assert torch.equal(Shapes()[2].label, before.label)


def test_seeds_splits_and_indices_give_different_pictures():
    pictures = [Shapes(split, seed)[i] for split in SPLITS for seed in (0, 1) for i in range(64)]
    assert len({picture.image.numpy().tobytes() for picture in pictures}) == len(pictures)


def test_images_are_whole_steps_of_8_bits():
    levels = Shapes()[0].image * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)


def test_every_picture_has_three_small_and_three_large_figures_that_do_not_overlap():
    for index in range(100):
        scene = imagine(0, "train", index)
        assert sum(figure.radius > KEYS[1] for figure in scene.figures) == 3
        assert len(scene.figures) == 6
        masks = [figure.mask() for figure in scene.figures]
        assert sum(mask.astype(int) for mask in masks).max() == 1


def test_the_key_stays_inside_its_panel_whatever_its_kind():
    for index in range(100):
        scene = imagine(0, "train", index)
        for kind in KINDS:
            mask = replace(scene.key, kind=kind, radius=max(KEYS)).mask()
            inside = mask.copy()
            inside[_panel(scene.key)] = False
            assert not inside.any()


def test_all_kinds_of_one_radius_have_the_same_area():
    figure = replace(imagine(0, "train", 0).figures[0], row=32.0, column=32.0, radius=15.0)
    areas = [replace(figure, kind=kind).mask().sum() for kind in KINDS]
    assert max(areas) < 1.03 * min(areas)


def test_another_key_changes_labels_more_than_half_an_image_away_and_no_pixel_but_its_own():
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    for index in range(30):
        scene = imagine(0, "train", index)
        away = torch.hypot(rows + 0.5 - scene.key.row, columns + 0.5 - scene.key.column)
        (image, label), (other, changed) = (with_key(scene, radius) for radius in KEYS[::2])
        assert away[(image != other).any(0)].max() < PANEL / 2
        assert torch.equal(label == BACKGROUND, changed == BACKGROUND)
        assert (away[label != changed] > SIDE / 2).any()


def test_the_least_key_makes_all_larger_the_greatest_all_smaller_the_middle_one_half():
    scene = imagine(0, "val", 0)
    least, middle, most = (with_key(scene, radius)[1] for radius in KEYS)
    assert least.unique().tolist() == [BACKGROUND, LARGER]
    assert middle.unique().tolist() == [BACKGROUND, LARGER, SMALLER]
    assert most.unique().tolist() == [BACKGROUND, SMALLER]


def test_the_best_lookup_by_colour_fails():
    train, val = Shapes("train"), Shapes("val")
    votes = torch.zeros(STEPS**3 * 3)
    for index in range(300):
        sample = train[index]
        votes += torch.bincount(colour(sample) * 3 + sample.label.flatten(), minlength=len(votes))
    table = votes.reshape(-1, 3).argmax(1)
    predicted = torch.cat([table[colour(sample)] for sample in val])
    assert iou(predicted, torch.cat([sample.label.flatten() for sample in val])) < 0.35


def colour(sample):
    """(H*W,): each pixel's colour, in a few steps per channel."""
    steps = (sample.image * STEPS).long().clamp(max=STEPS - 1)
    return (steps[0] * STEPS**2 + steps[1] * STEPS + steps[2]).flatten()


@pytest.mark.parametrize("radius", KEYS)
def test_who_does_not_see_the_key_stays_below_two_thirds(radius):
    """Taking each key for one of this size, which is what a small receptive field can do."""
    scenes = [imagine(0, "val", index) for index in range(64)]
    guesses = torch.stack([with_key(scene, radius)[1] for scene in scenes])
    assert iou(guesses, torch.stack([draw(scene)[1] for scene in scenes])) < 0.667
