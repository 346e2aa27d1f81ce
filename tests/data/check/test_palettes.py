"""Palettes of label files that contradict each other, or classes.txt."""

import numpy as np
import pytest
from PIL import Image

from gridgen.data.check import check_data

SKY, ROAD, OTHER = (0, 0, 255), (90, 90, 90), (200, 0, 0)


@pytest.fixture
def save(tree):
    """Writes a label of these numbers, with colours of a palette from 0 on."""

    def saved(name, numbers, colours):
        image = Image.fromarray(np.resize(numbers, (4, 6)).astype(np.uint8))
        image.putpalette(np.array(colours, np.uint8).tobytes())
        image.save(tree.path(f"{name}.png"))

    return saved


def told(tree):
    checked = check_data(tree.root)
    assert not checked.faults
    return [remark.text for remark in checked.remarks if remark.kind == "palettes"]


def test_palettes_that_are_those_of_classes_txt_are_in_order(tree, save):
    for name in ("train/labels/a", "train/labels/b", "val/labels/c"):
        save(name, [0, 1], [SKY, ROAD])
    assert told(tree) == []


def test_a_number_with_another_colour_in_another_file_is_told(tree, save):
    save("train/labels/a", [0, 1], [SKY, ROAD])
    save("train/labels/b", [0, 1], [SKY, OTHER])
    save("val/labels/c", [0, 1], [SKY, OTHER])
    assert told(tree) == [
        "road, stored as 1, has palettes that differ: #5a5a5a in train/a; #c80000 in train/b, val/c"
    ]


def test_colours_of_numbers_that_a_file_does_not_hold_may_be_any(tree, save):
    save("train/labels/a", [0], [SKY, OTHER])
    save("train/labels/b", [1], [ROAD, ROAD])
    save("val/labels/c", [0], [SKY])
    assert told(tree) == []


def test_a_palette_that_gives_a_class_the_colour_of_another_is_told(tree, save):
    for name in ("train/labels/a", "train/labels/b", "val/labels/c"):
        save(name, [0, 1], [ROAD, SKY])
    files = "train/a, train/b, val/c"
    assert told(tree) == [
        f"sky, stored as 0, is by its palette #5a5a5a, in classes.txt the colour of road: {files}",
        f"road, stored as 1, is by its palette #0000ff, in classes.txt the colour of sky: {files}",
    ]


def test_numbers_are_those_that_values_name(tree, save):
    tree.write("dataset.yaml", "values: {3: 1, 5: 0}")
    for name in ("train/labels/a", "train/labels/b", "val/labels/c"):
        save(name, [3, 5], [OTHER, OTHER, OTHER, ROAD, OTHER, SKY])
    assert told(tree) == []
    save("val/labels/c", [3, 5], [OTHER, OTHER, OTHER, SKY, OTHER, SKY])
    where = "#5a5a5a in train/a, train/b; #0000ff in val/c"
    assert told(tree) == [
        f"road, stored as 3, has palettes that differ: {where}",
        "road, stored as 3, is by its palette #0000ff, in classes.txt the colour of sky: val/c",
    ]


def test_a_ramp_of_grey_says_nothing_of_classes(tree, save):
    tree.write(
        "classes.txt", "0\tsky\t0\t0\t255\tclass\n1\troad\t0\t0\t0\tclass\n7\tx\t9\t9\t9\tignore\n"
    )
    for name in ("train/labels/a", "train/labels/b", "val/labels/c"):
        save(name, [0, 1], [(number,) * 3 for number in range(256)])
    assert told(tree) == []
