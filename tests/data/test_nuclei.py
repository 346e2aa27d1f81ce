from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from gridgen.data import nuclei
from gridgen.data.nuclei import BACKGROUND, BORDER, INTERIOR, Nuclei, border_classes
from gridgen.errors import DataError
from gridgen.images import read_image


def test_train_windows_overlap_by_half_and_val_windows_lie_side_by_side(stardist):
    train, val = Nuclei("train"), Nuclei("val")
    assert (len(train), len(val)) == (35, 4)
    assert torch.equal(train[0].image[..., 64:], train[1].image[..., :64])
    assert [sample.name for sample in val] == [
        "rows384-columns0",
        "rows384-columns128",
        "rows384-columns256",
        "rows384-columns384",
    ]


def test_no_row_is_in_both_splits(stardist):
    rows = {
        split: {
            row
            for sample in Nuclei(split)
            for top in [int(sample.name.split("-")[0].removeprefix("rows"))]
            for row in range(top, top + nuclei.SIDE)
        }
        for split in nuclei.SPLITS
    }
    assert rows["train"] == set(range(384))
    assert rows["val"] == set(range(384, 512))


def test_predicting_on_the_file_sees_what_training_saw(stardist):
    spec = find_spec("stardist")
    assert spec is not None
    image = read_image(Path(spec.origin).parent / "data" / "images" / "img2d.tif", 1)
    last = Nuclei("val")[3]
    assert torch.equal(image[:, 384:, 384:], last.image)


def test_nuclei_are_brighter_than_background_and_every_window_has_all_classes(stardist):
    for split in nuclei.SPLITS:
        for sample in Nuclei(split):
            assert sample.label.unique().tolist() == [BACKGROUND, INTERIOR, BORDER]
            inside = sample.image[0][sample.label == INTERIOR]
            assert inside.mean() > 2 * sample.image[0][sample.label == BACKGROUND].mean()


def test_finding_the_image_does_not_import_the_package(stardist):
    import sys

    Nuclei()
    assert "stardist" not in sys.modules


def test_border_is_two_pixels_wide_and_the_image_edge_makes_none():
    instances = torch.zeros(9, 12, dtype=torch.int64)
    instances[:, :7] = 1
    assert border_classes(instances).tolist() == [[INTERIOR] * 5 + [BORDER] * 2 + [0] * 5] * 9


def test_touching_instances_have_border_on_both_sides():
    instances = torch.ones(4, 12, dtype=torch.int64)
    instances[:, 6:] = 2
    assert (
        border_classes(instances).tolist() == [[INTERIOR] * 4 + [BORDER] * 4 + [INTERIOR] * 4] * 4
    )


def test_border_counts_diagonal_neighbours():
    instances = torch.ones(7, 7, dtype=torch.int64)
    instances[0, 0] = 0
    border = border_classes(instances) == BORDER
    assert border.nonzero().tolist() == [
        [row, column] for row in range(3) for column in range(3) if (row, column) != (0, 0)
    ]


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(nuclei, "find_spec", lambda name: None)
    with pytest.raises(DataError) as error:
        Nuclei()
    assert str(error.value) == (
        "nuclei: the image comes with the package stardist; pip install --no-deps stardist==0.9.2"
    )
