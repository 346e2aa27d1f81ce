"""Parts of a dataset, by the names of its samples."""

import pytest
import torch

from gridgen.data import load_dataset
from gridgen.data.dataset import OnDisk, holdout
from gridgen.data.shapes import Shapes
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
