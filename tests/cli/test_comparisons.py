"""What `gridgen diff` and `gridgen relate` print."""

from gridgen.analysis.differences import diff
from gridgen.analysis.relations import relate
from gridgen.grid import build_grid, prune
from gridgen.spec import GridSpec


def paper_family(**fields):
    spec = {"streams": 5, "columns": "3+3", "base_channels": 16, "classes": 19, **fields}
    return build_grid(GridSpec(**spec))


def test_what_diff_prints():
    full = paper_family()
    assert diff(full, prune(full, "unet")).rows() == [
        ("only in A", "sub_1_1, sub_2_1 and 14 more"),
        ("only in B", "none"),
        ("changed", "none"),
        ("changed maps", "none"),
        ("stem, head", "equal"),
        ("image", "400x400"),
        ("parameters", "13,181,097 -> 9,647,337 (-3,533,760)"),
        ("activations", "309,440,000 -> 223,040,000 (-86,400,000)"),
        ("MACs", "33,098,400,000 -> 24,251,040,000 (-8,847,360,000)"),
        ("connections", "49 -> 33 (-16)"),
        ("maps", "30 -> 30 (+0)"),
        ("paths", "371 -> 5 (-366)"),
        ("receptive field", "479 -> 479"),
        ("inherited", "9,647,337 of B's parameters (100.0%): stem, units.sub_1_0 and 33 more"),
    ]


def test_what_relate_prints_of_a_subgraph():
    full = paper_family()
    assert relate(prune(full, "unet"), full).rows() == [
        ("subgraph", "A is a subgraph of B"),
        ("connections", "33 of A's 33 are in B, which has 49"),
        ("units", "equal where both have them"),
        ("maps", "equal where both have them"),
        ("stem, head", "equal"),
        ("only in A", "none"),
        ("only in B", "sub_1_1, sub_2_1 and 14 more"),
    ]


def test_what_relate_prints_where_something_is_needed():
    full = paper_family()
    other = prune(paper_family(units={"lateral": "bottleneck"}), "unet")
    rows = relate(full, other).rows()
    assert rows == [
        ("subgraph", "A is no subgraph of B"),
        ("connections", "33 of A's 49 are in B, which has 33"),
        ("units", "differ: lateral_0_1, lateral_1_1 and 23 more"),
        ("maps", "equal where both have them"),
        ("stem, head", "equal"),
        ("only in A", "sub_1_1, sub_2_1 and 14 more"),
        ("only in B", "none"),
        ("A needs", "another unit in 25 lateral connections"),
        ("", "8 more subsampling connections"),
        ("", "8 more upsampling connections"),
    ]
