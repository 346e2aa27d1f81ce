from dataclasses import replace

import pytest
import torch

from gridgen.data.shapes import (
    BACKGROUND,
    KINDS,
    LIKE,
    PANEL,
    SIDE,
    SPLITS,
    UNLIKE,
    Shapes,
    draw,
    imagine,
)

STEPS = 16


def with_key(scene, kind):
    """The same picture with another key."""
    return draw(replace(scene, key=replace(scene.key, kind=kind)))


def iou(predicted, label):
    """Mean over the classes of TP / (TP + FP + FN)."""
    pairs = [(predicted == k, label == k) for k in (BACKGROUND, LIKE, UNLIKE)]
    return sum(float((a & b).sum() / (a | b).sum()) for a, b in pairs) / len(pairs)


@pytest.mark.parametrize("split", SPLITS)
def test_the_same_seed_gives_the_same_bytes(split):
    first, second = Shapes(split, seed=3)[5], Shapes(split, seed=3)[5]
    assert torch.equal(first.image, second.image)
    assert torch.equal(first.label, second.label)


def test_samples_do_not_depend_on_the_order_of_reading():
    dataset = Shapes()
    late = dataset[7].image
    assert all(torch.equal(Shapes()[index].image, dataset[index].image) for index in (3, 0))
    assert torch.equal(dataset[7].image, late)


def test_seeds_splits_and_indices_give_different_pictures():
    pictures = [Shapes(split, seed)[i] for split in SPLITS for seed in (0, 1) for i in range(64)]
    assert len({picture.image.numpy().tobytes() for picture in pictures}) == len(pictures)


def test_images_are_whole_steps_of_8_bits():
    levels = Shapes()[0].image * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)


def test_every_picture_has_two_figures_of_each_kind_wherever_they_are():
    for index in range(100):
        scene = imagine(0, "train", index)
        assert sorted(figure.kind for figure in scene.figures) == sorted(2 * list(KINDS))
        masks = [figure.mask() for figure in scene.figures]
        assert sum(mask.astype(int) for mask in masks).max() == 1, "figures overlap"


def test_all_kinds_of_one_radius_have_the_same_area():
    figure = replace(imagine(0, "train", 0).figures[0], row=32.0, column=32.0, radius=15.0)
    areas = [replace(figure, kind=kind).mask().sum() for kind in KINDS]
    assert max(areas) < 1.03 * min(areas)


def test_another_key_changes_labels_more_than_half_an_image_away_and_no_pixel_but_its_own():
    far_changes = 0
    for index in range(30):
        scene = imagine(0, "train", index)
        image, label = draw(scene)
        rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
        away = torch.hypot(rows + 0.5 - scene.key.row, columns + 0.5 - scene.key.column)
        for kind in KINDS.keys() - {scene.key.kind}:
            other, changed = with_key(scene, kind)
            assert (away[(image != other).any(0)] < PANEL / 2).all()
            assert torch.equal(label == BACKGROUND, changed == BACKGROUND)
            far_changes += int(((label != changed) & (away > SIDE / 2)).any())
    assert far_changes > 50, "of 60 pictures"


def test_each_figure_is_like_exactly_one_key():
    scene = imagine(0, "val", 0)
    labels = torch.stack([with_key(scene, kind)[1] for kind in KINDS])
    figures = labels[0] != BACKGROUND
    assert ((labels == LIKE).sum(0)[figures] == 1).all()
    assert ((labels == UNLIKE).sum(0)[figures] == 2).all()


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


@pytest.mark.parametrize("kind", KINDS)
def test_who_does_not_see_the_key_stays_below_0_58(kind):
    """Taking always the same kind for the key, or none: what local shape alone can do."""
    labels = [draw(imagine(0, "val", index))[1] for index in range(64)]
    guesses = [with_key(imagine(0, "val", index), kind)[1] for index in range(64)]
    none = [torch.where(label == LIKE, UNLIKE, label) for label in labels]
    assert iou(torch.stack(guesses), torch.stack(labels)) < 0.62
    assert iou(torch.stack(none), torch.stack(labels)) < 0.58
