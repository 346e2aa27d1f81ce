"""Parts of a dataset, by the names of its samples."""

import numpy as np
import pytest
import torch

from gridgen.data import load_dataset
from gridgen.data.dataset import OnDisk
from gridgen.data.division import shuffled
from gridgen.data.shapes import Shapes
from gridgen.data.subsets import divided, fold, holdout
from gridgen.errors import DataError


def failure(dataset, pattern):
    with pytest.raises(DataError) as error:
        holdout(dataset, pattern)
    return str(error.value)


def test_two_parts_make_the_whole_and_share_nothing():
    whole = Shapes("val")
    kept, apart = holdout(whole, "*[02468]")
    assert {*kept.names} | {*apart.names} == {*whole.names}
    assert not {*kept.names} & {*apart.names}
    assert len(kept) == len(apart) == 32


def test_a_part_is_the_dataset_in_all_but_its_samples():
    whole = Shapes("val")
    _, apart = holdout(whole, "val-001?")
    assert apart.name == whole.name
    assert (apart.classes, apart.colours, apart.channels) == (
        (whole.classes, whole.colours, whole.channels)
    )
    assert apart.sizes == whole.sizes[10:20]
    assert [sample.name for sample in apart] == list(apart.names) == list(whole.names[10:20])
    assert torch.equal(apart[3].image, whole[13].image)
    with pytest.raises(IndexError):
        apart[len(apart)]


def test_a_part_of_a_folder_knows_its_label_files(tree):
    whole = load_dataset(str(tree.root))
    kept, apart = holdout(whole, "b")
    assert isinstance(kept, OnDisk)
    assert isinstance(apart, OnDisk)
    assert kept.label_files + apart.label_files == whole.label_files
    assert torch.equal(apart.label(0), whole[1].label)
    assert not isinstance(holdout(Shapes("val"), "val-0000")[0], OnDisk)


def test_a_pattern_that_matches_none_gets_the_nearest_name():
    assert failure(Shapes("val"), "Val-001*") == (
        "shapes: the pattern 'Val-001*' matches none of 64 names, such as 'val-0010'; "
        "upper and lower case differ"
    )
    assert failure(Shapes("val"), "") == (
        "shapes: the pattern '' matches none of 64 names, such as 'val-0000'; "
        "upper and lower case differ"
    )


def test_a_pattern_that_matches_all_leaves_nothing():
    assert failure(Shapes("val"), "val*") == (
        "shapes: the pattern 'val*' matches all 64 names; leave some to keep"
    )


@pytest.mark.parametrize("pattern", ["r\u00fcb*", "ru\u0308b*", "r[\u00fc]ben", "r?ben"])
@pytest.mark.parametrize("name", ["r\u00fcben", "ru\u0308ben"])
def test_a_pattern_matches_an_umlaut_however_either_is_written(pattern, name):
    whole = Shapes("val")
    whole.names = (name, *whole.names[1:])
    assert holdout(whole, pattern)[1].names == (name,)


@pytest.mark.parametrize("folds", [2, 3, 5, 64])
def test_folds_share_nothing_and_are_of_one_size(folds):
    whole = Shapes("val")
    cut = [fold(whole, f"{number}/{folds}") for number in range(1, folds + 1)]
    names = [name for _, part in cut for name in part.names]
    assert sorted(names) == sorted(whole.names)
    assert max(len(part) for _, part in cut) - min(len(part) for _, part in cut) <= 1
    for rest, part in cut:
        assert [n for n in whole.names if n not in part.names] == list(rest.names)


def test_an_image_that_is_added_moves_few_others_to_another_fold(tree):
    def folds():
        whole = load_dataset(str(tree.root))
        return {
            name: number for number in range(1, 6) for name in fold(whole, f"{number}/5")[1].names
        }

    def add(name):
        tree.image(f"train/images/{name}.png", np.zeros((4, 6, 3), np.uint8))
        tree.label(f"train/labels/{name}.png", np.zeros((4, 6)))

    for number in range(28):
        add(f"frame-{number}")
    for name in ("before", "within", "zz-after"):
        before = folds()
        add(name)
        after = folds()
        assert len(after) == len(before) + 1
        assert sum(after[name] != number for name, number in before.items()) <= 4


def test_the_order_of_a_fold_follows_from_each_name_alone():
    names = [f"{number:03}" for number in range(100)]
    order = shuffled(names)
    assert order == shuffled(reversed(names)) != names
    assert [name for name in order if name < "050"] == shuffled(names[:50])
    assert order != shuffled(names, seed=1)
    assert shuffled(["a", "\udcff"]), "a file whose name is not UTF-8"


@pytest.mark.parametrize("text", ["", "2", "0/5", "6/5", "1/1", "2/5 ", "2/-5", "02/5", "½"])
def test_what_is_no_fold_is_refused(text):
    with pytest.raises(DataError) as error:
        fold(Shapes("val"), text)
    assert str(error.value) == (
        f"fold: {text!r} is not K/N with K from 1 to N; write 1/5, 2/5 ... 5/5"
    )


def test_there_are_no_more_folds_than_images(tree):
    with pytest.raises(DataError) as error:
        fold(load_dataset(str(tree.root)), "1/3")
    assert str(error.value) == (
        "streets: fold 1/3: 2 images of train for 3 folds; N of K/N is at most their number"
    )


def test_a_fold_is_of_what_is_not_held_out():
    train, part, apart = divided(Shapes("val"), "val-00[01]*", "1/4")
    assert (len(train), len(part), len(apart)) == (33, 11, 20)
    assert len({*train.names, *part.names, *apart.names}) == 64
    assert divided(train, None, None) == (train, None, None)
