"""Plots: points inside the frame, axes that suit the costs, lines of steps."""

import pytest

from gridgen.pages.page import ChartCurve
from gridgen.pages.plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, PlotPoint, plot, stepped


def points(*places: tuple[float, float | None]) -> list[PlotPoint]:
    return [
        PlotPoint(x, y, f"trial-{n}", f"Trial {n}", "searched") for n, (x, y) in enumerate(places)
    ]


@pytest.mark.parametrize(
    "places",
    [
        [(5, 0.5)],
        [(5, 0.5), (5, 0.5)],
        [(0, 0.0), (1, -3.0)],
        [(10_000, 0.1), (9_000_000, 0.9), (40_000, None)],
        [(0, 0.3), (10_000, 0.2)],
    ],
)
def test_points_lie_inside_the_frame(places):
    drawn = plot("a", "b", points(*places))
    for point in drawn["points"]:
        assert LEFT <= point["x"] <= WIDTH - RIGHT
        assert TOP <= point["y"] <= HEIGHT - BOTTOM
    assert drawn["x_ticks"]
    assert drawn["y_ticks"]


def test_a_plot_without_a_score_is_none():
    assert plot("a", "b", []) is None
    assert plot("a", "b", points((1, None))) is None


def test_what_has_no_score_stands_at_the_foot():
    drawn = plot("a", "b", points((1, 0.5), (2, None)))
    assert drawn["points"][1]["y"] == HEIGHT - BOTTOM


def test_costs_that_are_far_apart_have_a_logarithmic_axis():
    far = plot("a", "b", points((1_000, 0.1), (10_000, 0.2), (100_000, 0.3)))
    first, second, third = (point["x"] for point in far["points"])
    assert second - first == pytest.approx(third - second, abs=0.2)
    assert [tick["text"] for tick in far["x_ticks"]][:2] == ["1000", "2000"]
    near = plot("a", "b", points((100, 0.1), (200, 0.2), (300, 0.3)))
    first, second, third = (point["x"] for point in near["points"])
    assert second - first == pytest.approx(third - second, abs=0.2)


def test_numbers_of_trials_are_whole():
    drawn = plot("a", "trial", points((1, 0.1), (2, 0.2)), whole=True)
    assert [tick["text"] for tick in drawn["x_ticks"]] == ["1", "2"]


def test_a_limit_near_the_points_is_inside_and_a_far_one_moves_nothing():
    near = plot("a", "b", points((50, 0.1), (100, 0.2)), limit=120)
    assert LEFT < near["limit"] < WIDTH - RIGHT
    far = plot("a", "b", points((50, 0.1), (100, 0.2)), limit=10_000)
    assert far["points"] == plot("a", "b", points((50, 0.1), (100, 0.2)))["points"]
    assert far["limit"] is None


def test_lines_go_through_their_points():
    line = ChartCurve("front", "front", stepped([(1, 0.1), (2, 0.2)]))
    drawn = plot("a", "b", points((1, 0.1), (2, 0.2)), [line])
    first, last = drawn["points"]
    places = drawn["lines"][0]["points"].split()
    assert places[0] == f"{first['x']},{first['y']}"
    assert places[-1] == f"{last['x']},{last['y']}"
