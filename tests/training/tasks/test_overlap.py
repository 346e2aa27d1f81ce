"""Scores by the official rule, and the single-pixel lookup."""

import math

import pytest
import torch

from gridgen.data import IGNORE, Sample
from gridgen.training.tasks import Segmentation, overlap
from gridgen.training.tasks.lookup import fitted_lookup
from gridgen.training.tasks.overlap import OVERLAPS, Measure, confusion, score


def scored(prediction, label, classes=3):
    matrix = confusion(torch.tensor([prediction]), torch.tensor([label]), classes)
    return score(matrix, [str(i) for i in range(classes)])


def test_iou_is_hits_over_union():
    found = scored([[0, 0, 1, 1]], [[0, 1, 1, 1]], classes=2)
    assert found.shares["iou"] == pytest.approx((1 / 2, 2 / 3))
    assert found.means["iou"] == pytest.approx(7 / 12)
    assert found.shares["dice"] == pytest.approx((2 / 3, 4 / 5))
    assert found.means["dice"] == pytest.approx(11 / 15)
    assert found.accuracy == 0.75


def test_dice_is_f1_and_follows_from_iou():
    torch.manual_seed(0)
    found = scored(torch.randint(3, (50,)).tolist(), torch.randint(3, (50,)).tolist())
    expected = [2 * iou / (1 + iou) for iou in found.shares["iou"]]
    assert found.shares["dice"] == pytest.approx(expected)


def test_a_class_is_left_out_only_where_it_neither_occurs_nor_is_predicted():
    absent = scored([[0, 0, 1]], [[0, 1, 1]])
    assert math.isnan(absent.shares["iou"][2])
    assert absent.means["iou"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    predicted = scored([[0, 2, 1]], [[0, 1, 1]])
    assert predicted.shares["iou"][2] == 0
    assert predicted.means["iou"] == pytest.approx((1 + 1 / 2 + 0) / 3)


def test_ignored_pixels_count_nowhere():
    assert scored([[0, 2, 1]], [[0, IGNORE, 1]]).means["iou"] == 1


def test_nan_is_null_in_json():
    assert scored([[0]], [[0]], classes=2).as_json() == {
        "mean_iou": 1.0,
        "iou": {"0": 1.0, "1": None},
        "mean_dice": 1.0,
        "dice": {"0": 1.0, "1": None},
        "accuracy": 1.0,
    }


class Bands:
    """Class 0 is dark, class 1 bright, class 2 rare and as bright as class 1."""

    name, classes, colours, channels = "bands", ("0", "1", "2"), ((0, 0, 0),) * 3, 1
    names = ("bands",)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Sample:
        label = torch.tensor([[0] * 10 + [1] * 8 + [2] * 2])
        image = torch.where(label == 0, 0.1, 0.9)[None]
        return Sample("bands", image, label)


def test_the_lookup_finds_the_best_table():
    found = score(fitted_lookup(Bands(), Bands()), Bands.classes)
    assert found.shares["iou"] == pytest.approx((1, 0.8, 0))


def test_a_measure_is_a_line_wherever_it_stands_and_its_mean_is_of_its_own_column(monkeypatch):
    more = {"hits": Measure("hits", lambda hits, misses, false: hits.double(), averaged=True)}
    monkeypatch.setattr(overlap, "OVERLAPS", more | OVERLAPS)
    matrix = torch.tensor([[4, 2], [0, 6]])
    found = overlap.score(matrix, "ab")
    assert found.shares["hits"] == (4, 6)
    table = overlap.tables(matrix, "ab", ((0, 0, 0), (9, 9, 9)))["classes"]
    told = dict(zip(table.columns, table.mean, strict=True))
    means = {"class": "mean", "hits": 5.0, **found.means}
    empty = dict.fromkeys(("precision", "recall", "share", "pixels", "predicted_pixels"), "")
    assert told == means | empty
    assert table.rows[0] == ("a", 4.0, 4 / 6, 0.8, 1.0, 4 / 6, 0.5, 6, 4)


def test_the_numbers_of_a_score_are_named_by_the_measures_that_are_averaged():
    assert list(scored([[0]], [[0]]).numbers()) == list(Segmentation.numbers)
    assert scored([[0, 1]], [[0, 2]]).rows() == [
        *(("mean IoU", "0.3333"), ("mean Dice", "0.3333"), ("accuracy", "0.5000"))
    ]
