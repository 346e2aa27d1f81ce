"""What labels store: ids, other numbers, colours."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from gridgen.data.check import check_data
from gridgen.data.dataset import IGNORE
from gridgen.data.folder import Folder
from gridgen.errors import DataError, SpecError

CLASSES = "0\tsky\t0\t0\t255\tclass\n1\troad\t90\t90\t90\tclass\n"
VOID = "7\tvoid\t0\t0\t0\tignore\n"


@pytest.fixture
def make(tmp_path):
    """A dataset of one sample with this label, classes.txt and dataset.yaml."""

    def made(stored, classes=CLASSES + VOID, settings="", suffix="png"):
        for name in ("images", "labels"):
            (tmp_path / "train" / name).mkdir(parents=True, exist_ok=True)
        stored = np.array(stored)
        Image.fromarray(np.zeros(stored.shape[:2], np.uint8)).save(tmp_path / "train/images/a.png")
        path = tmp_path / f"train/labels/a.{suffix}"
        if suffix == "tif":
            options = {"planarconfig": "contig"} if stored.ndim == 3 else {}
            tifffile.imwrite(path, stored, photometric="minisblack", metadata=None, **options)
        else:
            Image.fromarray(stored).save(path)
        (tmp_path / "classes.txt").write_text(classes, "utf-8")
        if settings:
            (tmp_path / "dataset.yaml").write_text(settings, "utf-8")
        return Folder(tmp_path)

    return made


def test_ids_are_classes_and_what_is_ignored(make):
    assert make(np.array([[0, 1, 7]], np.uint8))[0].label.tolist() == [[0, 1, IGNORE]]


@pytest.mark.parametrize("alpha", [[], [40]])
def test_colours_are_those_of_the_class_list(make, alpha):
    stored = [[[0, 0, 255, *alpha], [90, 90, 90, *alpha], [0, 0, 0, *alpha]]]
    assert make(np.array(stored, np.uint8))[0].label.tolist() == [[0, 1, IGNORE]]


def test_colours_that_are_not_listed_are_named(make):
    stored = np.array([[[0, 0, 255], [90, 90, 91], [255, 128, 0], [255, 128, 0]]], np.uint8)
    with pytest.raises(DataError) as error:
        make(stored)
    assert str(error.value).endswith(
        "a.png: colours that classes.txt has not: #5a5a5b (1 pixel), #ff8000 (2 pixels); "
        "list them there"
    )


def test_colours_need_to_be_told_apart(make):
    with pytest.raises(DataError, match=r"a label of colours, but classes.txt repeats one"):
        make(np.zeros((1, 2, 3), np.uint8), CLASSES + "7\tvoid\t0\t0\t255\tignore\n")


def test_other_channels_and_depths_are_no_labels(make):
    with pytest.raises(DataError, match="a label of 2 channels of uint8; save ids, or the colours"):
        make(np.zeros((1, 2, 2), np.uint8), suffix="tif")
    with pytest.raises(DataError, match="a label of floating point numbers"):
        make(np.zeros((1, 2), np.float32), suffix="tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_values_say_what_numbers_stand_for(make, dtype):
    dataset = make(np.array([[0, 255, 128]], dtype), settings="values: {0: 0, 255: 1, 128: ignore}")
    assert dataset[0].label.tolist() == [[0, 1, IGNORE]]


def test_ids_may_start_at_1(make):
    dataset = make(np.array([[1, 2, 0]], np.uint8), CLASSES, "values: {1: 0, 2: 1, 0: ignore}")
    assert dataset[0].label.tolist() == [[0, 1, IGNORE]]


def test_a_mask_of_0_and_255_is_two_classes_only_where_that_is_said(make):
    with pytest.raises(DataError, match=r"ids that classes.txt has not: 255 \(1 pixel\)"):
        make(np.array([[0, 255]], np.uint8), CLASSES)


def test_with_values_no_other_number_is_known(make):
    with pytest.raises(DataError, match=r"ids that classes.txt has not: 1 \(1 pixel\)"):
        make(np.array([[0, 1]], np.uint8), settings="values: {0: 0, 255: 1}")


def test_values_stand_for_ids_that_are_listed(make):
    with pytest.raises(DataError, match=r"values: 3 stands for 5, which classes.txt has not: 0, 1"):
        make(np.array([[0, 1]], np.uint8), settings="values: {3: 5}")


@pytest.mark.parametrize(
    ("dtype", "mark"),
    [(np.int16, -1), (np.uint16, 65535), (np.int32, -100), (np.uint32, 2**31), (np.uint64, 300)],
)
def test_what_is_ignored_may_be_any_whole_number(make, dtype, mark):
    stored = np.array([[0, 1, mark]], dtype)
    dataset = make(stored, CLASSES + f"{mark}\tvoid\t0\t0\t0\tignore\n", suffix="tif")
    assert dataset[0].label.tolist() == [[0, 1, IGNORE]]


def test_a_number_that_does_not_fit_is_not_taken_for_another(make):
    stored = np.array([[0, 2**64 - 1]], np.uint64)
    with pytest.raises(DataError, match=r"18446744073709551615 \(1 pixel\)"):
        make(stored, CLASSES + "-1\tvoid\t0\t0\t0\tignore\n", suffix="tif")


def test_a_number_of_more_than_64_bits_is_told_with_its_line(make):
    with pytest.raises(SpecError, match=r"dataset.yaml:1:.*9223372036854775807"):
        make(np.array([[0]], np.uint8), settings=f"values: {{{10**26}: 0}}")


@pytest.mark.parametrize("stored", [[[0, 300]], [[[9, 0, 0], [0, 9, 0]]]], ids=["ids", "colours"])
def test_labels_beside_a_damaged_list_of_classes_are_no_further_fault(make, tmp_path, stored):
    numbers = np.array(stored, np.uint16 if len(np.shape(stored)) == 2 else np.uint8)
    with pytest.raises(DataError, match=r"classes.txt:1: 1 column;"):
        make(numbers, "damaged", suffix="tif" if numbers.ndim == 2 else "png")
    told = [fault.text for fault in check_data(tmp_path).faults if "no split val" not in fault.text]
    assert len(told) == 1
    assert "classes.txt:1" in told[0]
