"""`gridgen count`: the breakdowns that it prints, and what `--per` accepts."""

import json

import pytest
from layer_tables import table

from gridgen.analysis.breakdown import Group
from gridgen.architectures.names import ARCHITECTURES
from gridgen.cli.costs import print_costs
from gridgen.cli.tables import WIDTH, print_table
from gridgen.errors import unknown
from gridgen.spec.document import dump


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
        ("streams", f"--per: {unknown('grouping', 'streams', ['stream'])}"),
        ("", f"--per: {unknown('grouping', '', ['connection', 'part', 'stream'])}"),
        ("x", f"--per: {unknown('grouping', 'x', ['connection', 'part', 'stream'])}"),
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
    assert "\n\nmemory for a batch of 4, fp32, adam\n" in out
    assert "\npeak of training    3.40 GB  ##############################\n" in out
    assert "\n\ninference  needs 219 MB, fits on 8GB; up to batch 191\n" in out
    assert (
        "\ntraining   needs 3.40 GB, fits on 8GB; up to batch 9\n"
        "           by arithmetic alone, without what the device takes besides\n" in out
    )
    assert out.endswith(
        """
parameters       13,181,097, more than the 10,000,000 allowed (1.32 times)
training memory  3,398,249,668 bytes, within the 8 GB allowed (0.42 times)
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
    assert more["counted"] == {
        "size": [400, 400],
        "worked_on": [400, 400],
        "batch": 4,
        "precision": "bf16",
        "optimizer": "sgd",
        "recompute": "unit",
    }
    assert [(fit["phase"], fit["fits"], fit["memory"]) for fit in more["device"]] == [
        ("inference", True, 10**9),
        ("training", True, 10**9),
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
            f"--budget: params: {unknown('field', 'params', ['parameters'])}",
        ),
        (
            ("--budget", "batch=4"),
            "--budget: no limit is given; add one, such as parameters=10M",
        ),
        (
            ("--budget", "parameters=null", "--budget", "size=[500,500]"),
            "--budget: no limit is given; add one, such as parameters=10M",
        ),
        (
            ("--budget", "parameters=1M", "--budget", "parameters=2M"),
            "--budget: parameters is given twice; give it once",
        ),
        (
            ("--batch", "4", "--budget", "training_memory=8GB", "--budget", "batch=8"),
            "--budget: batch is 8 here and 4 in --batch; give one of the two",
        ),
        (
            ("--size", "64x64", "--budget", "macs=8G", "--budget", "size=80x64"),
            "--budget: size is 80x64 here and 64x64 in --size; give one of the two",
        ),
        (
            ("--budget", "macs=8G", "--budget", "size=80"),
            "--budget: size: 80 is not a list",
        ),
        (
            ("--budget", "training_memory=8GB", "--budget", "crop=64"),
            "--budget: crop: a study's recipe has crops; give --size HxW",
        ),
        (
            ("--budget", "training_memory=8"),
            "--budget: training_memory: 8 bytes? write 8MB or 8GB",
        ),
        (("--device", "12"), "--device: 12 bytes? write 12MB or 12GB"),
        (
            ("--budget", "min_receptive_field=100000"),
            "--budget: min_receptive_field: 100000 is more than 65536",
        ),
        (("--strict",), "--strict: there is nothing to keep to; give --budget or --device"),
        (
            ("--budget", "parameters"),
            ("--budget: 'parameters' is not a limit; write LIMIT=AMOUNT, such as parameters=10M"),
        ),
    ],
)
def test_options_of_memory_and_budget_are_checked(options, told, shipped, gridgen):
    assert gridgen("count", "specs/gridnet.yaml", *options) == (2, "", f"{told}\n")


@pytest.mark.parametrize("policy", ["pad", "crop", "resize"])
def test_budget_device_and_table_say_one_number(policy, shipped, gridgen):
    command = ("count", "specs/gridnet.yaml", "--set", f"size={policy}", "--size", "480x360")
    limits = ("--device", "1450MB", "--budget", "training_memory=1450MB", "--budget", "macs=1G")
    code, out, _ = gridgen(*command, "--batch", "8", "--recompute", "unit", *limits, "--json")
    counted = json.loads(out)
    macs, memory = (verdict["cost"] for verdict in counted["budget"])
    assert code == 0
    assert macs == counted["macs"]["total"]
    assert memory == counted["memory"]["peak_training"] == counted["device"][1]["needed"]
    assert counted["counted"]["size"] == [480, 360]
    assert counted["counted"]["worked_on"] == {"pad": [480, 368], "crop": [480, 352]}.get(
        policy, [480, 368]
    )


def test_what_a_budget_is_counted_under_is_what_the_tables_are_counted_under(gridgen):
    terms = ("batch=3", "precision=bf16", "size=48x32")
    said = [part for term in terms for part in ("--budget", term)]
    code, out, _ = gridgen("count", "mine.yaml", *said, "--budget", "training_memory=8GB", "--json")
    counted = json.loads(out)
    assert code == 0
    assert counted["counted"] == {
        "size": [48, 32],
        "worked_on": [48, 32],
        "batch": 3,
        "precision": "bf16",
        "optimizer": "adam",
        "recompute": "none",
    }
    assert counted["budget"][0]["cost"] == counted["memory"]["peak_training"]
    _, out, _ = gridgen("count", "mine.yaml", *said, "--budget", "training_memory=8GB")
    assert "\nfor one image of 48x32\n" in out
    assert "\nmemory for a batch of 3, bf16, adam\n" in out


def test_a_budget_may_repeat_what_an_option_says(gridgen):
    terms = ("--budget", "batch=3", "--budget", "training_memory=8GB")
    assert gridgen("count", "mine.yaml", "--batch", "3", *terms)[0] == 0


def test_without_a_limit_on_memory_none_is_counted(gridgen):
    _, out, _ = gridgen("count", "mine.yaml", "--budget", "parameters=8M", "--json")
    assert not {"memory", "counted"} & json.loads(out).keys()


def test_a_network_that_sees_the_whole_image_has_no_number_for_it(gridgen):
    _, out, _ = gridgen("count", "pspnet", "--budget", "min_receptive_field=100")
    assert out.endswith("\nreceptive field  endless pixels, at least the 100 pixels wanted\n")
    _, out, _ = gridgen("count", "pspnet", "--budget", "min_receptive_field=100", "--json")
    assert json.loads(out)["budget"][0]["cost"] is None


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (("--budget", "parameters=1017"), 0),
        (("--budget", "parameters=1016"), 1),
        (("--device", "8GB"), 0),
        (("--device", "1MB"), 1),
        (("--device", "8GB", "--budget", "parameters=1016"), 1),
    ],
)
def test_strict_exits_with_1_where_budget_or_device_are_not_kept_to(asked, code, gridgen):
    assert gridgen("count", "mine.yaml", *asked, "--strict")[0] == code
    assert gridgen("count", "mine.yaml", *asked, "--strict", "--json")[0] == code
    assert gridgen("count", "mine.yaml", *asked)[0] == 0


def test_a_verdict_of_the_papers_formula_fits_the_line(shipped, gridgen):
    asked = ("--as", "unet", "--budget", "parameters=10M", "--budget", "bound=paper")
    _, out, _ = gridgen("count", "specs/gridnet.yaml", *asked)
    assert out.endswith(
        "\nparameters  10,027,008 by the paper's formula for the full grid, more than the "
        "10,000,000 allowed\n            (1.00 times)\n"
    )


def test_latency_is_of_the_batch_the_size_and_the_precision_of_a_budget(place, gridgen):
    (place / "t.yaml").write_text(dump(table()))
    budget = ("--budget", "training_memory=8GB", "--budget", "batch=8", "--budget", "size=64x64")
    code, out, _ = gridgen("count", "mine.yaml", "--latency", "t.yaml", *budget)
    assert code == 0
    assert " for 8 of 64x64\n" in out
    code, out, err = gridgen(
        "count", "mine.yaml", "--latency", "t.yaml", *budget, "--budget", "precision=bf16"
    )
    assert (code, out) == (2, "")
    assert err == "--precision: t.yaml was measured in fp32; leave it out, or measure it so\n"
