"""What labels must hold before a network can learn from them."""

from pathlib import Path

import pytest
import torch

from gridgen.data import IGNORE, Sample
from gridgen.data.denoising import Denoising
from gridgen.data.folder import Folder
from gridgen.data.frequencies import count_pixels
from gridgen.data.labelled import (
    absent_classes,
    nothing_labelled,
    require_labelled,
    require_two_classes,
    too_few_classes,
)
from gridgen.errors import DataError


class Fields:
    """Images in memory, of which all before the one at `first` are ignored; notes what is read."""

    name, task, channels, classes = "fields", "segmentation", 1, ("soil", "crop")
    colours, names, sizes = ((0, 0, 0), (9, 9, 9)), tuple("abcd"), ((2, 2),) * 4

    def __init__(self, first: int) -> None:
        self._first, self.read = first, list[int]()

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Sample:
        self.read.append(index)
        label = torch.full((2, 2), IGNORE if index < self._first else 1)
        return Sample(self.names[index], torch.zeros(1, 2, 2), label)


class Filed(Fields):
    """The same with label files."""

    label_files = (Path(__file__),) * 4

    def label(self, index: int) -> torch.Tensor:
        return self[index].label


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GRIDGEN_HOME", str(tmp_path / "home"))


def test_a_single_class_is_refused_with_the_cure():
    assert too_few_classes("roads", ["crack"]) == (
        "roads: its only class is crack, so that every answer is right; list what is not crack as "
        "a class too, such as background"
    )
    lone = Fields(0)
    lone.classes = ("soil",)
    with pytest.raises(DataError) as caught:
        require_two_classes(lone)
    assert str(caught.value) == too_few_classes("fields", ["soil"])


def test_two_classes_or_labels_that_are_images_are_no_single_class(tree):
    assert too_few_classes("roads", ["crack", "background"]) is None
    require_two_classes(Denoising("train", tree.root))
    assert require_labelled(Denoising("train", tree.root), "train") is None


def test_where_labels_are_files_they_are_counted(tree):
    dataset = Folder(tree.root)
    assert require_labelled(dataset, "train") == count_pixels(dataset)


@pytest.mark.parametrize(("first", "read"), [(0, [0]), (2, [0, 1, 2])])
def test_other_labels_are_read_until_one_has_a_class(first, read):
    fields = Fields(first)
    assert require_labelled(fields, "train") is None
    assert fields.read == read


@pytest.mark.parametrize("kind", [Fields, Filed])
@pytest.mark.parametrize(("split", "use"), [("train", "learn"), ("val", "score")])
def test_a_split_without_a_labelled_pixel_is_refused(kind, split, use):
    with pytest.raises(DataError) as caught:
        require_labelled(kind(4), split)
    assert str(caught.value) == nothing_labelled("fields", split, 4)
    assert str(caught.value) == (
        f"fields, {split}: no pixel of its 4 images has a class, so there is nothing to {use}; "
        "label some"
    )


def test_labels_of_other_kinds_are_not_counted():
    """A label per pixel that is a number, or several, tells no class."""
    heights = Filed(0)
    heights.label = lambda index: torch.zeros(2, 2)
    assert require_labelled(heights, "train") is None


def test_absent_classes_are_named_and_the_fourth_is_counted():
    classes = ("sky", "road", "bus", "tree", "car")
    assert absent_classes("train", classes, (1, 2, 3, 4, 5)) is None
    assert absent_classes("train", classes, (1, 0, 3, 4, 5)) == (
        "train: no pixel is road, which cannot be learned"
    )
    assert absent_classes("holdout", classes, (1, 0, 0, 0, 0)) == (
        "holdout: no pixel is road, bus, tree and 1 more, which cannot be scored"
    )
