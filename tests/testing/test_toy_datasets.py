"""`check_dataset` passes toy datasets that are whole, and catches each that is broken."""

from pathlib import Path

import pytest
import torch

from gridgen.data import IGNORE
from gridgen.data.dataset import Sample, Window
from gridgen.errors import DataError, UsageError
from gridgen.testing import check_dataset
from gridgen.training.tasks import TASKS, Segmentation


class Toy:
    """Three grey images of noise in which bright pixels are of another class than dark ones."""

    name, task = "toy", "segmentation"
    classes: tuple[str, ...] = ("dark", "bright")
    colours: tuple[tuple[int, int, int], ...] = ((0, 0, 0), (255, 255, 255))
    channels = 1
    names: tuple[str, ...] = ("a", "b", "c")
    sizes: tuple[tuple[int, int], ...] = ((6, 8), (6, 8), (7, 5))

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Sample:
        size = self.sizes[range(3)[index]]
        image = torch.rand(1, *size, generator=torch.Generator().manual_seed(index))
        label = (image[0] > 0.5).long()
        label[0, 0] = IGNORE
        return Sample(self.names[index], image, label, lambda: label.int())


class Clean(Toy):
    """The same images, to be restored; a part is read by itself."""

    task = "restoration"
    classes = colours = ()

    def __getitem__(self, index: int) -> Sample:
        image = super().__getitem__(index).image
        return Sample(self.names[index], image * 0.5, image)

    def window(self, index: int, window: Window) -> Sample:
        whole = self[index]
        cut = ..., window.rows, window.columns
        return Sample(whole.name, whole.image[cut], whole.label[cut])


class Filed(Toy):
    """Labels that are files, if only of their names."""

    label_files = (Path(__file__),) * 3

    def label(self, index: int) -> torch.Tensor:
        return self[index].label


@pytest.mark.parametrize("toy", [Toy, Clean, Filed])
def test_a_dataset_of_ones_own_passes(toy):
    check_dataset(toy())
    check_dataset(toy(), toy())


def other(base=Toy, **fields):
    """The toy with other attributes or methods."""
    return type("Other", (base,), fields)()


def reading(change, base=Toy):
    """The toy with other samples: `change` takes a sample's image and label, and gives others."""

    class Changed(base):
        def __getitem__(self, index: int) -> Sample:
            sample = super().__getitem__(index)
            return Sample(sample.name, *change(sample.image, sample.label))

    return Changed()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y: (x.double(), y), "sample 0: the image is torch.float64, not torch.float32"),
        (lambda x, y: (x * 255, y), "the image has values from"),
        (lambda x, y: (x - 0.5, y), "not in [0, 1]"),
        (lambda x, y: (x * float("nan"), y), "the image has values from nan to nan"),
        (lambda x, y: (x[0], y), "the image is 6x8, not 1x6x8"),
        (lambda x, y: (x.mT, y.mT), "the image is 1x8x6, not 1x6x8"),
        (lambda x, y: (x, y.int()), "the label is torch.int32, not torch.int64"),
        (lambda x, y: (x, y[None]), "the label is 1x6x8, not 6x8 as the image"),
        (lambda x, y: (x, y + 1), "the label holds 256, which is no class"),
        (lambda x, y: (x, y - 1), "the label holds -1, which is no class"),
        (lambda x, y: (torch.rand_like(x), y), "it is not the same when it is read again"),
        (lambda x, y: (x, torch.randint(2, y.shape)), "it is not the same when it is read again"),
    ],
)
def test_broken_samples_are_caught(change, words):
    with pytest.raises(AssertionError) as failure:
        check_dataset(reading(change))
    assert words in str(failure.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y: (x, y[0]), "the label, an image, is 6x8, not 1x6x8"),
        (lambda x, y: (x, 2 * y), "the label, an image, has values from"),
        (lambda x, y: (x, y.half()), "the label, an image, is torch.float16"),
    ],
)
def test_broken_images_as_labels_are_caught(change, words):
    with pytest.raises(AssertionError) as failure:
        check_dataset(reading(change, Clean))
    assert words in str(failure.value)


class Shared(Toy):
    """Hands out the tensors that it keeps."""

    def __init__(self) -> None:
        self.kept = [Toy()[index] for index in range(3)]

    def __getitem__(self, index: int) -> Sample:
        sample = self.kept[index]
        return Sample(sample.name, sample.image, sample.label)


class Unsendable(Toy):
    """Holds what no other process can be sent."""

    def __init__(self) -> None:
        self.opened = open(__file__)  # noqa: SIM115 - what is tested

    def __del__(self) -> None:
        self.opened.close()


class Shifted(Clean):
    """Cuts a part one row too high."""

    def window(self, index: int, window: Window) -> Sample:
        return super().window(index, window._replace(top=max(window.top - 1, 0)))


def endless(self, index: int) -> Sample:
    return Toy.__getitem__(self, index % 3)


def narrow_objects(self, index: int) -> Sample:
    sample = Toy.__getitem__(self, index)
    return Sample(sample.name, sample.image, sample.label, lambda: sample.label.byte())


def misnamed(self, index: int) -> Sample:
    sample = Toy.__getitem__(self, index)
    return Sample("x", sample.image, sample.label)


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        (other(__len__=lambda self: 0), "it has no samples"),
        (other(task="depth"), "unknown task 'depth'; known: restoration, segmentation"),
        (other(names=("a", "b")), "2 names for 3 samples"),
        (other(names=("a", "b", "a")), "two samples have one name"),
        (other(names=("a", "b", "c/d")), "['c/d'] is no name for a file"),
        (other(sizes=((6, 8),)), "1 sizes for 3 samples"),
        (other(sizes=((6, 8), (6, 8), (0, 5))), "sample 2: "),
        (other(channels=3), "the image is 1x6x8, not 3x6x8"),
        (other(classes=("dark", "dark")), "two classes have one name"),
        (other(classes=("dark",)), "2 colours for 1 classes"),
        (other(colours=((0, 0, 0),) * 2), "two classes have one colour"),
        (other(colours=((0, 0, 0), (0, 0, 256))), "a colour is not red, green and blue in 0..255"),
        (other(__getitem__=endless), "dataset[3] is no IndexError, so a loop over it has no end"),
        (other(__getitem__=misnamed), "sample 0 is called x, in names a"),
        (other(__getitem__=narrow_objects), "what instances() reads is torch.uint8"),
        (Shared(), "a change of the sample changes the dataset"),
        (Unsendable(), "the dataset cannot be sent to another process"),
        (Shifted(), "is not that part of the whole"),
        (other(Filed, label_files=(Path(__file__),)), "1 label files for 3 samples"),
        (other(Filed, label_files=(Path("gone"),) * 3), "['gone'] is no file"),
        (other(Filed, label=lambda self, index: self[0].label), "label() reads another label"),
    ],
)
def test_a_broken_dataset_is_caught(dataset, words, monkeypatch):
    # A class that a test makes can be found by its name alone, as pickle looks for it.
    monkeypatch.setitem(globals(), "Other", type(dataset))
    with pytest.raises(AssertionError) as failure:
        check_dataset(dataset)
    assert str(failure.value).startswith("dataset toy: ")
    assert words in str(failure.value)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (other(classes=("bright", "dark")), "splits of toy differ in classes"),
        (other(colours=((1, 0, 0), (0, 0, 9))), "splits of toy differ in colours"),
        (other(Clean), "splits of toy differ in task"),
        (other(name="play"), "splits of toy differ in name"),
    ],
)
def test_splits_that_disagree_are_caught(second, words, monkeypatch):
    monkeypatch.setitem(globals(), "Other", type(second))
    with pytest.raises(AssertionError) as failure:
        check_dataset(Toy(), second)
    assert words in str(failure.value)


def test_what_lacks_a_part_of_a_dataset_is_told_which():
    class Unsized(Toy):
        @property
        def sizes(self):
            raise AttributeError

    with pytest.raises(UsageError, match=r"\(Unsized\) without sizes; give a Dataset$"):
        check_dataset(Toy(), Unsized())


def test_labels_are_what_the_task_says(monkeypatch):
    class Marks(Segmentation):
        def require_label(self, sample: Sample) -> None:
            raise DataError(f"{sample.name} has no mark")

    monkeypatch.setitem(TASKS, "segmentation", Marks)
    with pytest.raises(AssertionError, match="sample 0: a has no mark"):
        check_dataset(Toy())


def test_no_split_is_no_dataset():
    with pytest.raises(AssertionError, match="no split is given"):
        check_dataset()
