"""Tables of layer times: the work of a network, what lies between entries, and the file."""

import pytest
from layer_tables import SPEC, kernel, table
from small import SMALL, small_grid

from gridgen import LayerTimes, count
from gridgen.errors import SpecError, UsageError
from gridgen.grid import build_grid
from gridgen.latency.layer_times import interpolated
from gridgen.latency.work import CONVOLUTIONS, POINTWISE, work_of
from gridgen.spec import GridSpec
from gridgen.spec.document import dump


@pytest.mark.parametrize("name", ["grid", *SMALL])
def test_the_work_of_convolutions_has_the_macs_that_are_counted(name):
    grid = build_grid(SPEC) if name == "grid" else small_grid(name, size="error")
    side = max(grid.spec.least, 2 * grid.spec.multiple)
    size = (side,) * grid.spec.dimensions
    macs = sum(
        work.share * kernel(work.kind) * work.channels[0] * work.channels[1] * work.pixels
        for work in work_of(grid, size, batch=3)
        if work.kind in CONVOLUTIONS
    )
    # Only norms and pools have others.
    counted = count(grid, size).macs.total
    assert macs / 3 == pytest.approx(counted, rel=0.02)


def test_what_is_proportional_to_macs_and_values_is_predicted_exactly():
    made, grid = table(), build_grid(SPEC)
    for size in ((32, 32), (64, 96), (8, 8)):
        expected = sum(
            work.share
            * (kernel(work.kind) if work.kind in CONVOLUTIONS else 1)
            * work.channels[0]
            * work.channels[1]
            * work.pixels
            for work in work_of(grid, size)
        )
        assert made.seconds(SPEC, size) == pytest.approx(1e-9 * expected, rel=0.02)
    assert made.seconds(SPEC, (32, 32), batch=4) == pytest.approx(4 * made.seconds(SPEC, "32x32"))


def test_whole_networks_scale_the_sum_and_others_tell_the_error():
    made, scaled = table(), table(scale=2.0)
    assert scaled.seconds(SPEC, (40, 40)) == pytest.approx(2 * made.seconds(SPEC, (40, 40)))
    (prediction,) = scaled.predictions
    assert prediction.error == pytest.approx(-0.2)
    assert scaled.worst == pytest.approx(0.2)
    assert scaled.trust.startswith("20% in the middle, 20% at most, for images of 32x32, of 1 ")


def test_between_and_beyond_the_entries_of_a_table():
    axis, times = [(10, 100)], (2.0, 8.0)
    assert interpolated(axis, times, (10,)) == pytest.approx(2)
    assert interpolated(axis, times, (100,)) == pytest.approx(8)
    assert interpolated(axis, times, (31.622776,)) == pytest.approx(4)
    assert interpolated(axis, times, (1,)) == pytest.approx(2)
    assert interpolated(axis, times, (300,)) == pytest.approx(24)


def test_a_file_gives_the_same_table(tmp_path):
    made = table()
    (tmp_path / "times.yaml").write_text(dump(made), "utf-8")
    loaded = LayerTimes.load(tmp_path / "times.yaml")
    assert loaded == made
    assert loaded.seconds(SPEC, (64, 64)) == made.seconds(SPEC, (64, 64))


@pytest.mark.parametrize("field", ["convolutions", "pointwise"])
def test_a_table_that_lacks_something_is_refused(field):
    fields = table().plain()
    row = fields[field].popitem()[0]
    with pytest.raises(SpecError, match="lacks kinds or times; gridgen calibrate --latency"):
        LayerTimes(**fields)
    fields[field][row] = [1.0]
    with pytest.raises(SpecError, match="lacks kinds or times"):
        LayerTimes(**fields)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channels": [8, 1, 64]}, "channels: they do not grow"),
        ({"values": [16, 16]}, "values: they do not grow"),
        ({"pixels": [0, 4, 64]}, "pixels"),
        ({"networks": [{"spec": SPEC, "size": [8, 8], "seconds": 1.0}] * 2}, "none is held out"),
        ({"pointwise": {"ReLU": [0.0, 1.0]}}, "pointwise"),
    ],
)
def test_a_damaged_table_is_refused(changes, said):
    with pytest.raises(SpecError, match=said):
        LayerTimes(**table().plain() | changes)


def test_networks_of_other_dimensions_are_refused():
    with pytest.raises(UsageError, match="has 1 dimensions; layer times are those"):
        table().seconds(SPEC.but(dimensions=1), (32,))


def test_a_layer_that_no_table_knows_is_told_by_one_that_is_as_simple(monkeypatch):
    grid = build_grid(GridSpec(streams=1, columns="1+1", base_channels=4, classes=2))
    known = {work.kind for work in work_of(grid, (8, 8))}
    assert "ReLU" in known
    assert "SiLU" not in known
    monkeypatch.delitem(POINTWISE, "ReLU")
    assert {work.kind for work in work_of(grid, (8, 8))} == known - {"ReLU"} | {"SiLU"}
