import pytest

from gridgen.analysis.lints import Case
from gridgen.analysis.lints.image import small_field
from gridgen.analysis.receptive import receptive_field
from gridgen.architectures import load_spec
from gridgen.grid import Draft, build_grid, prune
from gridgen.grid.layers import Conv
from gridgen.spec import DraftSpec, GridSpec

ROWS = {"streams": 2, "columns": "1+1", "base_channels": 2, "classes": 2}


def grid_of(**fields):
    return build_grid(GridSpec(**ROWS | fields))


def fix_of(grid, size):
    [finding] = small_field(Case(grid, size))
    return finding.fix


def test_a_tenth_of_the_image_is_enough():
    grid = grid_of(streams=1)
    assert receptive_field(grid) == 13
    assert list(small_field(Case(grid, (10, 130)))) == []  # sees 10x13 of it
    assert list(small_field(Case(grid, (13, 130)))) == []
    [finding] = small_field(Case(grid, (13, 131)))
    assert finding.fact == "a prediction depends on 13x13 of 13x131 pixels, 9.9%"


def test_the_published_unet_sees_enough_of_what_it_was_trained_on():
    assert list(small_field(Case(build_grid(load_spec("unet-2015")), (576, 576)))) == []


def test_very_little_is_said_to_be_less_than_a_thousandth():
    [finding] = small_field(Case(grid_of(streams=1), (1000, 1000)))
    assert finding.fact == "a prediction depends on 13x13 of 1000x1000 pixels, less than 0.1%"


@pytest.mark.parametrize(
    ("fields", "size", "flags", "words"),
    [
        (
            {},
            (100, 100),
            ("--set", "streams=3"),
            "go deeper: gridnet, 3 streams, 1+1 columns, F0 = 2",
        ),
        (
            {"topology": "resnet"},
            (80, 80),
            ("--as", "gridnet"),
            "go deeper: gridnet, 2 streams, 1+1 columns, F0 = 2",
        ),
        (
            {"topology": {"keep": ["lateral_0_*"]}},
            (80, 80),
            ("--as", "gridnet"),
            "go deeper: gridnet, 2 streams, 1+1 columns, F0 = 2",
        ),
        (
            {"base_channels": None, "channels": [3, 5], "side_channels": [7]},
            (100, 100),
            (
                *("--set", "streams=3", "--set", "channels=[3, 5, 10]"),
                *("--set", "side_channels=[7, 14]"),
            ),
            "go deeper: gridnet, 3 streams, 1+1 columns, channels 3/5/10",
        ),
        (
            {"streams": 1, "columns": "0+1"},
            (100, 100),
            ("--set", "streams=2", "--set", "columns=1+2"),
            "go deeper: gridnet, 2 streams, 1+2 columns, F0 = 2",
        ),
    ],
)
def test_the_nearest_grid_that_sees_enough_is_named(fields, size, flags, words):
    fix = fix_of(grid_of(**fields), size)
    assert (fix.flags, fix.words) == (flags, words)


def test_a_size_that_the_deeper_network_cannot_take_is_changed_too():
    assert fix_of(grid_of(), (102, 102)).flags == ("--set", "streams=3", "--size", "104x104")
    assert fix_of(grid_of(size="pad"), (102, 102)).flags == ("--set", "streams=3")


def test_a_published_network_gets_a_larger_number_where_it_has_one():
    grid = build_grid(load_spec("preact-resnet"))
    assert fix_of(grid, (400, 400)).flags == ("--set", "units=31")
    assert fix_of(build_grid(load_spec("unet-2015")), (1024, 2048)).flags == ("--set", "streams=7")


def test_where_nothing_lets_it_see_more_the_crop_is_to_be_smaller():
    fix = fix_of(build_grid(load_spec("preact-resnet")), (4000, 4000))
    assert (fix.flags, fix.words) == (("--size", "110x110"), "train on crops of 110x110")


def test_where_no_smaller_crop_is_possible_it_says_so():
    draft = Draft()
    draft.connect((0, 0), (0, 1), (Conv(1, 1),))
    spec = DraftSpec(classes=1, step=64)
    grid = draft.grid(spec, stem=(Conv(3, 1),), head=())
    fix = fix_of(grid, (64, 64))
    assert (fix.flags, fix.words) == (
        (),
        "no setting lets it see more, and no smaller image is possible",
    )


def test_a_pruned_grid_is_measured_as_it_is(paper_grid):
    assert list(small_field(Case(paper_grid, (400, 400)))) == []
    [finding] = small_field(Case(prune(paper_grid, "resnet"), (400, 400)))
    assert finding.fact == "a prediction depends on 29x29 of 400x400 pixels, 0.5%"
