"""Pixels per class, weights from them, and their file."""

import json
import os

import numpy as np
import pytest

from gridgen.data import load_dataset
from gridgen.data.denoising import Denoising
from gridgen.data.folder import Folder
from gridgen.data.frequencies import Frequencies, count_pixels
from gridgen.data.shapes import Shapes
from gridgen.data.subsets import holdout
from gridgen.errors import DataError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GRIDGEN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def folder(tree):
    """Labels of 24 pixels: a has 6 of road, 6 ignored and sky; b is all sky."""
    ids = np.zeros((4, 6))
    ids[0], ids[1] = 1, 7
    tree.label("train/labels/a.png", ids)
    return tree


def read_anew(monkeypatch, dataset):
    """Whether counting reads labels, and what it finds."""
    read = []
    found = count_pixels(dataset, lambda done, total: read.append((done, total)))
    return bool(read), found


def test_the_counts_of_a_folder(folder):
    assert count_pixels(Folder(folder.root)) == Frequencies(
        pixels=(36, 6), around=(48, 24), images=(2, 1)
    )


def test_weights_are_median_frequency_over_frequency():
    found = Frequencies(pixels=(36, 6), around=(48, 24), images=(2, 1))
    assert found.weights() == ((0.75 + 0.25) / 2 / 0.75, (0.75 + 0.25) / 2 / 0.25)
    assert found.shares == (36 / 42, 6 / 42)


def test_classes_that_never_occur_weigh_1_and_do_not_move_the_median():
    assert Frequencies((80, 0, 20), (100, 0, 100), (1, 0, 1)).weights() == (0.625, 1, 2.5)
    assert Frequencies((0, 0), (0, 0), (0, 0)).weights() == (1, 1)


def test_the_weight_of_a_class_has_a_cap_be_it_as_rare_as_it_may():
    rare = Frequencies((10**9 - 1, 1), (10**9, 10**9), (10, 1))
    assert rare.weights() == (pytest.approx(0.5), 50)
    assert rare.weights(power=0.5) == (pytest.approx(0.5**0.5), 50)
    assert rare.weights(most=1000) == (pytest.approx(0.5), 1000)
    assert rare.weights(most=1e9) == (pytest.approx(0.5), pytest.approx(5e8))


def test_the_weights_of_camvid_are_those_that_come_with_it(shared_data):
    told = json.loads((shared_data / "camvid" / "stats-train.json").read_text("utf-8"))
    weights = count_pixels(load_dataset(str(shared_data / "camvid"), "train")).weights()
    assert weights == pytest.approx(told["median_frequency_weight"][:11], rel=1e-3)


def test_a_second_count_reads_no_label(folder, monkeypatch):
    first, second = (read_anew(monkeypatch, Folder(folder.root)) for _ in range(2))
    assert first == (True, second[1])
    assert second[0] is False


def test_a_label_that_changes_is_counted_again(folder, monkeypatch):
    count_pixels(Folder(folder.root))
    path = folder.label("train/labels/b.png", np.ones((4, 6)))
    os.utime(path, ns=(0, 0))
    read, found = read_anew(monkeypatch, Folder(folder.root))
    assert read
    assert found.pixels == (12, 30)


def test_what_numbers_mean_may_change_while_the_labels_do_not(folder):
    assert count_pixels(Folder(folder.root)).pixels == (36, 6)
    folder.write("dataset.yaml", "values: {0: 1, 1: 0, 7: ignore}")
    swapped = Folder(folder.root)
    assert count_pixels(swapped).pixels == (6, 36)
    kept, _ = holdout(swapped, "b")
    assert count_pixels(kept).pixels == (6, 12)
    folder.write("dataset.yaml", "values: {0: 1, 1: 0, 7: 0}")
    kept, _ = holdout(Folder(folder.root), "b")
    assert count_pixels(kept).pixels == (12, 12)


def test_an_image_whose_missing_values_are_void_is_counted_again_where_it_changes(tree):
    tree.write("dataset.yaml", "nodata: 50")
    assert count_pixels(Folder(tree.root)).pixels == (0, 0)
    tree.image("train/images/a.png", np.full((4, 6, 3), 60, np.uint8))
    whole = Folder(tree.root)
    assert count_pixels(whole).pixels == (24, 0)
    kept, _ = holdout(whole, "b")
    assert count_pixels(kept).pixels == (24, 0)
    tree.image("train/images/a.png", np.full((4, 6, 3), 50, np.uint8))
    kept, _ = holdout(Folder(tree.root), "b")
    assert count_pixels(kept).pixels == (0, 0)


def test_an_image_that_decides_nothing_of_its_label_may_change(folder, monkeypatch):
    count_pixels(Folder(folder.root))
    folder.image("train/images/a.png", np.full((4, 6, 3), 60, np.uint8))
    assert read_anew(monkeypatch, Folder(folder.root))[0] is False


def test_a_part_has_counts_of_its_own(folder):
    whole = Folder(folder.root)
    kept, apart = holdout(whole, "b")
    assert count_pixels(whole).pixels == (36, 6)
    assert (count_pixels(kept).pixels, count_pixels(apart).pixels) == ((12, 6), (24, 0))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"pixels": [1], "around": [1], "images": [1]}', '{"pixels": 3}']
)
def test_a_damaged_file_is_made_anew(folder, home, monkeypatch, content):
    found = count_pixels(Folder(folder.root))
    [path] = (home / "frequencies").iterdir()
    path.write_text(content)
    assert read_anew(monkeypatch, Folder(folder.root)) == (True, found)
    assert read_anew(monkeypatch, Folder(folder.root)) == (False, found)


def test_counts_that_cannot_be_kept_are_returned_all_the_same(folder, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GRIDGEN_HOME", str(tmp_path / "file"))
    assert count_pixels(Folder(folder.root)).pixels == (36, 6)


def test_made_datasets_are_counted_each_time(home):
    seen = []
    _, apart = holdout(Shapes("val"), "val-000?")
    found = count_pixels(apart, lambda *numbers: seen.append(numbers))
    assert seen == [(done, 10) for done in range(1, 11)]
    assert sum(found.pixels) == 10 * 64 * 64
    assert not home.exists()


def test_without_classes_there_is_nothing_to_count(tree):
    with pytest.raises(DataError) as error:
        count_pixels(Denoising("train", tree.root))
    assert str(error.value) == ("denoising:streets has no classes to count; its labels are images")
