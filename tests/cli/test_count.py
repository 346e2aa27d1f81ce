"""`gridgen count`: the breakdowns that it prints, and what `--per` accepts."""

import json

import pytest

from gridgen.analysis.breakdown import Group
from gridgen.architectures.names import ARCHITECTURES
from gridgen.cli.costs import print_costs
from gridgen.cli.table import WIDTH, print_table


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("per", [(), ("--per", "connection")])
def test_every_table_fits_the_line(name, per, gridgen):
    code, out, err = gridgen("count", name, *per)
    assert (code, err) == (0, "")
    tables = out.partition("\nfor one image")[2]
    assert max(map(len, tables.splitlines())) <= WIDTH


@pytest.mark.parametrize("size", ["65536x65536", "16x16"])
def test_a_table_fits_the_line_whatever_the_size(size, gridgen):
    _, out, _ = gridgen("count", "mine.yaml", "--size", size, "--set", "base_channels=1024")
    tables = out.partition("\npart ")[2]
    assert tables
    assert max(map(len, tables.splitlines())) <= WIDTH


def test_count_per_connection(gridgen):
    assert gridgen("count", "mine.yaml", "--size", "8x6", "--per", "connection")[1].endswith(
        """
paper: the approximations of section 3.2, which know the full grid only

connection   from   to     parameters                activations                 MACs
stem         3x8x6  2x8x6         108  11% #                 720  23% ##        4,320  19% ##
sub_1_0      2x8x6  4x4x3         236  23% ##                384  12% #         2,592  11% #
lateral_1_1  4x4x3  4x4x3         312  31% ##                288   9% #         3,456  15% #
lateral_0_1  2x8x6  2x8x6          84   8% #                 576  18% #         3,456  15% #
up_0_1       4x4x3  2x8x6         124  12% #                 480  15% #         2,592  11% #
head         2x8x6  3x8x6         153  15% #                 720  23% ##        6,480  28% ##
"""
    )


@pytest.mark.parametrize("per", ["part", "stream", "connection"])
def test_json_per_something_has_rows_that_add_up(per, gridgen):
    code, out, err = gridgen("count", "mine.yaml", "--per", per, "--json")
    assert (code, err) == (0, "")
    counted = json.loads(out)
    rows = counted.pop("breakdown")
    for measure in ("parameters", "activations", "macs"):
        assert sum(row[measure] for row in rows) == counted[measure]["total"]
    assert counted == json.loads(gridgen("count", "mine.yaml", "--json")[1])


@pytest.mark.parametrize(
    ("per", "error"),
    [
        ("streams", "--per: 'streams' is no grouping; did you mean 'stream'?"),
        ("", "--per: '' is no grouping; there are: connection, part, stream"),
        ("x", "--per: 'x' is no grouping; there are: connection, part, stream"),
    ],
)
def test_a_grouping_that_there_is_not_is_named(per, error, gridgen):
    assert gridgen("count", "mine.yaml", "--per", per) == (2, "", f"{error}\n")


def test_the_paths_of_a_grid_without_end_are_written_in_powers_of_ten(gridgen):
    _, out, _ = gridgen("count", "mine.yaml", "--set", "streams=16", "--set", "columns=40+40")
    assert "maps, paths  1,280, 8.1e25\n" in out


def test_what_costs_nothing_has_no_share(capsys):
    print_costs(("part",), [("lateral",)], [Group("lateral", 1, None, 0, 0, 0)])
    assert capsys.readouterr().out.splitlines()[1].split() == ["lateral", *("0", "0%") * 3]


def test_the_first_columns_of_a_table_are_words(capsys):
    print_table([("a", "b", "c"), ("long", "longer", "1,000")], words=2)
    assert capsys.readouterr().out == "a     b           c\nlong  longer  1,000\n"


def test_memory_fit_and_budget_follow_the_counts(shipped, gridgen):
    code, out, err = gridgen(
        *("count", "specs/gridnet.yaml", "--size", "400x400", "--batch", "4"),
        *("--device", "8GB", "--budget", "parameters=10M", "--budget", "training_memory=8GB"),
    )
    assert (code, err) == (0, "")
    assert (
        out.partition("\n\nmemory")[2]
        == """ for a batch of 4, fp32, adam
parameters          52.7 MB
gradients           52.7 MB
optimizer's state    105 MB  #
saved for backward  3.04 GB  ###########################
peak of training    3.40 GB  ##############################
peak of inference    219 MB  ##

inference  needs 219 MB, fits on 8GB; up to batch 191 (arithmetic alone)
training   needs 3.40 GB, fits on 8GB; up to batch 9 (arithmetic alone)

parameters       13,181,097, not within at most 10,000,000 parameters (1.32 times)
training memory  3,398,249,668, within at most 8,000,000,000 bytes of training memory (0.42 times)
"""
    )


def test_json_adds_what_was_asked_for(shipped, gridgen):
    command = ("count", "specs/gridnet.yaml", "--size", "400x400", "--json")
    plain = json.loads(gridgen(*command)[1])
    asked = ("--batch", "4", "--precision", "bf16", "--optimizer", "sgd", "--recompute", "unit")
    more = json.loads(gridgen(*command, *asked, "--device", "1GB", "--budget", "macs=30G")[1])
    assert {key: more.pop(key) for key in plain} == plain
    assert more["memory"] == {
        "parameters": 52_724_388,
        "gradients": 52_724_388,
        "optimizer": 52_724_388,
        "saved": 437_778_026,
        "peak_training": 717_626_842,
        "peak_inference": 165_668_036,
    }
    assert [(fit["phase"], fit["fits"]) for fit in more["device"]] == [
        ("inference", True),
        ("training", True),
    ]
    assert more["budget"] == [
        {"quantity": "macs", "cost": 33_098_400_000, "limit": 30_000_000_000, "within": False}
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--batch", "0"), "--batch: 0 is less than 1"),
        (("--batch", "65537"), "--batch: 65537 is more than 65536"),
        (("--precision", "fp8"), "--precision: 'fp8' is not one of: 'fp32', 'bf16' or 'fp16'"),
        (("--optimizer", "lion"), "--optimizer: 'lion' is not one of: 'sgd', 'adam' or 'adamw'"),
        (("--recompute", "all"), "--recompute: 'all' is not one of: 'none', 'unit' or 'column'"),
        (
            ("--budget", "params=10M"),
            "--budget: params: 'params' is no field; did you mean 'parameters'?",
        ),
        (
            ("--budget", "parameters"),
            "--budget: 'parameters' is no limit; write LIMIT=AMOUNT, such as parameters=10M",
        ),
    ],
)
def test_options_of_memory_and_budget_are_checked(options, told, shipped, gridgen):
    assert gridgen("count", "specs/gridnet.yaml", *options) == (2, "", f"{told}\n")
