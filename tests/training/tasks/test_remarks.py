"""What is odd about a score, in a line each."""

import pytest
import torch

from gridgen.training.tasks import Restoration, Segmentation

TASK = Segmentation(("sky", "road", "bus"), ((0, 0, 0), (1, 1, 1), (2, 2, 2)))


@pytest.mark.parametrize(
    ("matrix", "lines"),
    [
        ([[5, 1, 0], [0, 4, 0], [0, 1, 0]], []),
        ([[5, 0, 0], [4, 0, 0], [1, 0, 0]], ["test: the network takes every pixel for sky"]),
        ([[5, 0, 1], [0, 0, 0], [1, 0, 2]], ["test: no pixel is road, which cannot be scored"]),
        (
            [[0, 0, 5], [0, 0, 0], [0, 0, 0]],
            [
                "test: no pixel is road, bus, which cannot be scored",
                "test: the network takes every pixel for bus",
            ],
        ),
    ],
)
def test_absent_classes_and_a_single_predicted_one_are_told(matrix, lines):
    assert TASK.remarks(torch.tensor(matrix), "test") == lines


def test_of_a_restoration_nothing_is_odd():
    assert Restoration().remarks(torch.tensor([31.0, 1.0]), "val") == []
