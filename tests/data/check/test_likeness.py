"""Images that show nearly the same."""

import pytest
import torch
from torch.nn.functional import interpolate

from gridgen.data.check.likeness import ALIKE, nearest, small_grey
from gridgen.images.files import read_image


def scene(seed, height=90, width=120):
    """Blobs under a bright sky, which all scenes have."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 9, 12, generator=generator)
    fine = interpolate(coarse, (height, width), mode="bilinear")[0]
    return (fine / 2 + torch.linspace(0.5, 0, height)[:, None]).clamp(0, 1)


def likeness(one, other):
    [twins] = nearest([small_grey(one)], [small_grey(other)])
    return twins.likeness


def test_an_image_is_as_like_itself_as_can_be():
    assert likeness(scene(0), scene(0)) == pytest.approx(1)


def test_brightness_contrast_and_resolution_do_not_matter():
    assert likeness(scene(0), scene(0) / 3 + 0.1) == pytest.approx(1)
    assert likeness(scene(0), scene(0, 180, 240)) > 0.99


def test_a_small_displacement_is_the_same_place():
    assert likeness(scene(0), scene(0).roll((6, 8), (1, 2))) > ALIKE


def test_a_sky_that_all_share_makes_no_likeness():
    assert max(likeness(scene(0), scene(seed)) for seed in range(1, 30)) < ALIKE


def test_blank_images_are_like_nothing():
    blank = torch.full((1, 40, 40), 0.3)
    assert likeness(blank, blank) == 0
    assert likeness(blank, scene(0)) == 0


def test_the_most_alike_pair_comes_first():
    ones, others = ([small_grey(scene(seed)) for seed in seeds] for seeds in ((0, 1, 2), (5, 2, 6)))
    first, *_ = found = nearest(ones, others)
    assert first[:2] == (2, 1)
    assert sorted(twins.one for twins in found) == [0, 1, 2]
    assert nearest(ones, []) == nearest([], others) == []


def test_frames_of_camvid_a_second_apart_are_alike_and_those_of_other_drives_are_not(shared_data):
    def some(split, pattern):
        paths = sorted((shared_data / "camvid" / split / "images").glob(pattern))[::3]
        return [small_grey(read_image(path, 3)) for path in paths]

    val = some("val", "*")
    near, far = some("train", "0016E5_08[01]*"), some("train", "0001TP*")
    assert max(twins.likeness for twins in nearest(val, near)) > ALIKE + 0.05
    assert max(twins.likeness for twins in nearest(val, far)) < ALIKE


def test_many_images_are_compared_like_a_few():
    many = [small_grey(scene(seed, 32, 32)) for seed in range(280)]
    assert nearest(many, many[270:])[0].one in range(270, 280)
    assert {t.one for t in nearest(many, many[270:]) if t.likeness > 0.999} >= {*range(270, 280)}


@pytest.mark.parametrize("least", [0.3, ALIKE, 0.9])
@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_lost_where_only_what_is_alike_is_looked_for(seed, least):
    generator = torch.Generator().manual_seed(seed)
    ones = [small_grey(scene(number, 40, 50)) for number in range(100 * seed, 100 * seed + 40)]
    grain = [torch.randn(32, 32, generator=generator) * 0.04 for _ in range(120)]
    others = [ones[number % 40].roll(number % 5, 1) + grain[number] for number in range(120)]
    all_of_them = [twins for twins in nearest(ones, others) if twins.likeness >= least]
    found = nearest(ones, others, least)
    assert [twins[:2] for twins in found] == [twins[:2] for twins in all_of_them]
    assert [twins[2] for twins in found] == pytest.approx([twins[2] for twins in all_of_them])
