"""`gridgen feasible`, and `--budget` on it and on `gridgen search`."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from gridgen.analysis import count
from gridgen.emit import load_network
from gridgen.errors import unknown
from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from gridgen.study.engine.engine import FunctionEngine

GRIDNET = Path(__file__).parents[2] / "specs" / "gridnet.yaml"


@pytest.fixture
def shipped(place):
    """The current directory, with the repository's studies/."""
    shutil.copytree(Path(__file__).parents[2] / "studies", place / "studies")


@pytest.fixture(autouse=True)
def _no_data(place):
    """Nothing is trained, so the data need not exist."""
    text = (place / "study.yaml").read_text("utf-8")
    (place / "study.yaml").write_text(text.replace("data: shapes", "data: nowhere"))


def test_it_counts_what_meets_the_budget(place, gridgen):
    code, out, err = gridgen("feasible", "study.yaml")
    assert (code, err) == (0, "")
    assert out.startswith("space       8 specs: 2 streams x 2 columns x 2 base_channels\n")
    assert {path.name for path in place.iterdir()} == {
        "mine.yaml",
        "quick.yaml",
        "study.yaml",
        "image.png",
    }


def listed_in(out):
    """The settings of every listed spec, of one line or several, under what they cost."""
    first, *others = out.partition("\n# ")[2].split("\n# ")
    return [other.partition("\n")[2].replace("\\\n", " ") for other in (first, *others)]


def test_listed_specs_are_settings_that_count_takes(gridgen):
    code, out, _ = gridgen("feasible", "study.yaml", "--list", "3")
    assert code == 0
    assert "\n# 1,017 parameters, 10,560,000 activations\n--set streams=2 --set " in out
    listed = listed_in(out)
    assert len(listed) == 3
    code, out, _ = gridgen("feasible", "study.yaml", "--list", "3", "--json")
    found = json.loads(out)["listed"]
    for line, cell in zip(listed, found, strict=True):
        code, counted, _ = gridgen("count", "mine.yaml", *shlex.split(line), "--json")
        assert code == 0
        assert json.loads(counted)["parameters"]["total"] == cell["parameters"] <= 3500


COLUMNS = "columns: [[sub, up, sub, up]]\n  units.lateral: [bottleneck, residual]"


def test_settings_of_lists_and_groups_are_pasted_too(place, gridgen):
    text = (place / "study.yaml").read_text("utf-8").replace("columns: [1+1, 2+2]", COLUMNS)
    (place / "study.yaml").write_text(text)
    _, out, _ = gridgen("feasible", "study.yaml", "--budget", "parameters=1M", "--list", "99")
    listed = listed_in(out)
    _, out, _ = gridgen(
        "feasible", "study.yaml", "--budget", "parameters=1M", "--list", "99", "--json"
    )
    cells = json.loads(out)["listed"]
    assert len(listed) == len(cells) == 8
    for line, cell in zip(listed, cells, strict=True):
        code, counted, _ = gridgen("count", "mine.yaml", *shlex.split(line), "--json")
        assert (code, json.loads(counted)["parameters"]["total"]) == (0, cell["parameters"])


def test_two_names_of_one_network_are_two_specs_and_one_network(place, gridgen):
    """Three streams with a column down and a column up: the U-Net is all there is."""
    text = (place / "study.yaml").read_text("utf-8").replace("streams: [2, 3]", "streams: [3]")
    text = text.replace(
        "columns: [1+1, 2+2]", "columns: [1+1]\n  topology: [gridnet, resnet, unet]"
    )
    (place / "study.yaml").write_text(text)
    code, out, _ = gridgen("feasible", "study.yaml", "--budget", "parameters=1M", "--list", "99")
    assert code == 0
    assert "\nnetworks    4 different ones in 6 specs\n" in out
    assert "\nfeasible    6 specs (100.0%), 4 different networks\n" in out
    costs = [line for line in out.splitlines() if line.startswith("# ")]
    again = [line.endswith("; the same network as above") for line in costs]
    assert again == [False, False, False, True, False, True]
    found = json.loads(
        gridgen("feasible", "study.yaml", "--budget", "parameters=1M", "--list", "99", "--json")[1]
    )
    assert found["networks"] == {"valid": 4, "feasible": 4}
    assert [spec["network"] for spec in found["listed"]] == [1, 2, 3, 3, 4, 4]


def test_what_costs_nothing_is_listed_too(place, gridgen):
    text = (place / "study.yaml").read_text("utf-8").replace("streams: [2, 3]", "streams: [2]")
    text = text.replace("[1+1, 2+2]", "[1+1, 2+2]\n  total_dropout: [0, 0.1]")
    (place / "study.yaml").write_text(text)
    _, out, _ = gridgen("feasible", "study.yaml", "--budget", "parameters=1M", "--list", "99")
    assert "\nfeasible    8 specs (100.0%), 8 different networks\n" in out
    assert len(listed_in(out)) == 8


def test_json_says_what_the_table_says(gridgen):
    code, out, _ = gridgen("feasible", "study.yaml", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["points"], found["invalid"], found["budget"]["parameters"]) == (8, {}, 3500)
    assert found["feasible"] + found["broken"]["parameters"] == 8
    largest = found["topologies"]["gridnet"]["largest"]
    counted = count(build_grid(GridSpec(**largest["spec"])), (400, 400))
    assert largest["parameters"] == counted.parameters.total
    assert largest["macs"] == counted.macs.total


def test_budgets_of_the_command_line_hold(gridgen):
    code, out, _ = gridgen(
        "feasible", "study.yaml", "--budget", "parameters=null", "--budget", "macs=1.5GMAC",
        "--budget", "min_receptive_field=30", "--budget", "training_memory=1GiB", "--json",
    )  # fmt: skip
    found = json.loads(out)
    assert code == 0
    assert set(found["broken"]) == {"macs", "receptive_field", "training_memory"}


def test_what_makes_no_grid_and_what_is_nearest_are_said(place, gridgen):
    text = (place / "study.yaml").read_text("utf-8").replace("[1+1, 2+2]", "[1+1, [up, sub]]")
    (place / "study.yaml").write_text(text)
    code, out, _ = gridgen("feasible", "study.yaml", "--budget", "parameters=900")
    assert (code, out) == (
        0,
        "space       8 specs: 2 streams x 2 columns x 2 base_channels\n"
        "invalid     4 make no grid\n"
        "            2: columns: no path from input to output visits stream 1; the columns need a "
        "sub before\n            an up\n"
        "            2: columns: no path from input to output visits stream 1, 2; the columns "
        "need a sub\n            before an up\n"
        "parameters  4 have more than 900\n"
        "feasible    0 specs (0.0%)\n"
        "nearest     gridnet, 2 streams, 1+1 columns, F0 = 2: 1,017 parameters are more than 900 "
        "(1.13 times)\n",
    )


@pytest.mark.parametrize("limits", [[], ["--budget", "parameters=1", "--budget", "macs=1"]])
def test_the_picture_opens_and_is_the_last_line(limits, place, gridgen):
    code, out, _ = gridgen("feasible", "study.yaml", *limits, "-o", "found/set.png")
    assert (code, out.splitlines()[-1].split()) == (0, ["wrote", "found/set.png"])
    with Image.open(place / "found" / "set.png") as picture:
        picture.verify()
        assert min(picture.size) > 300


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--budget", "parameters=10 apples"],
            "--budget: parameters: unknown unit 'apples' in '10 apples'; write a number such as "
            "500k or 10M",
        ),
        (
            ["--budget", "parameters"],
            "--budget: 'parameters' is not a limit; write LIMIT=AMOUNT, such as parameters=10M",
        ),
        (
            ["--budget", "parameters="],
            "--budget: 'parameters=' is not a limit; write LIMIT=AMOUNT, such as parameters=10M",
        ),
        (
            ["--budget", "memory=8GB"],
            (
                "--budget: memory: "
                f"{unknown('field', 'memory', ['inference_memory', 'training_memory'])}"
            ),
        ),
        (
            ["--budget", "training_memory=8"],
            "--budget: training_memory: 8 bytes? write 8MB or 8GB",
        ),
        (
            ["--budget", "parameters=10M", "--budget", "parameters=20M"],
            "--budget: parameters is given twice; give it once",
        ),
        (
            ["--budget", "size=400"],
            "--budget: size: 400 is not a list",
        ),
        (["-o", "set.svg"], "set.svg: the picture of a feasible set is a .png; name such a file"),
        (
            ["--list", "-1"],
            "--list: -1 is less than 0",
        ),
    ],
)
def test_what_is_asked_wrongly_is_one_line(arguments, message, place, gridgen):
    assert gridgen("feasible", "study.yaml", *arguments) == (2, "", f"{message}\n")
    assert not (place / "set.svg").exists()


def test_a_picture_may_end_in_capitals(place, gridgen):
    assert gridgen("feasible", "study.yaml", "-o", "set.PNG")[0] == 0
    assert (place / "set.PNG").read_bytes().startswith(b"\x89PNG")


def test_what_no_table_counts_is_shown_at_its_line(place, gridgen):
    (place / "study.yaml").write_text(
        "data: nowhere\nrecipe: quick.yaml\nspecs: [unet-2015, fpn]\nspec: {classes: 3}\n"
    )
    code, out, err = gridgen("feasible", "study.yaml")
    assert (code, out) == (2, "")
    assert err.startswith("study.yaml:3:8: specs: feasible counts grids whose fields vary;")


def test_that_a_picture_is_of_one_part_is_said_before_anything_is_counted(
    place, gridgen, monkeypatch
):
    text = (place / "study.yaml").read_text("utf-8")
    varied = "columns: {values: [1+1, 2+2], when: {streams: 3}}"
    (place / "study.yaml").write_text(
        text.replace("columns: [1+1, 2+2]", varied).replace("3}\n", "3, columns: 1+1}\n", 1)
    )
    monkeypatch.setattr("gridgen.study.candidates.branches.Branch.feasible", None)
    told = (
        "set.png: the space has 2 parts, and a picture is of one; leave out -o, or the conditions"
    )
    assert gridgen("feasible", "study.yaml", "-o", "set.png") == (2, "", f"{told}\n")


def test_a_range_without_steps_is_shown_at_its_line(place, gridgen):
    text = (place / "study.yaml").read_text("utf-8")
    lines = text.replace("  streams:", "  total_dropout: {low: 0.0, high: 0.5}\n  streams:")
    (place / "study.yaml").write_text(lines)
    assert gridgen("feasible", "study.yaml") == (
        2,
        "",
        "study.yaml:4:18: space.total_dropout: numbers from 0.0 to 0.5 without steps cannot be "
        "counted; give step, or a list of values\n"
        "     4 |   total_dropout: {low: 0.0, high: 0.5}\n"
        "       |                  ^\n",
    )


def test_a_search_for_nothing_ends_at_once_and_writes_nothing(place, gridgen):
    text = (place / "study.yaml").read_text("utf-8")
    (place / "study.yaml").write_text(text.replace("data: nowhere", "data: shapes"))
    assert gridgen("search", "study.yaml", "--budget", "parameters=9", "-o", "found") == (
        2,
        "",
        "budget: none of 8 candidates meets it; nearest is gridnet, 2 streams, 1+1 columns, "
        "F0 = 2: 1,017 parameters are more than 9 (113 times); loosen the limit, or widen "
        "space\n",
    )
    assert not (place / "found").exists()


TOPOLOGIES = """columns: [1+1]
  units.upsampling: [deconv, bilinear]
  topology: [unet, {keep: [lateral_*, sub_*, up_*]}, {drop: [lateral_1_1]}]"""


def test_custom_topologies_are_rows_of_their_own_and_say_what_they_keep(place, gridgen):
    text = (place / "study.yaml").read_text("utf-8").replace("columns: [1+1, 2+2]", TOPOLOGIES)
    (place / "study.yaml").write_text(text)
    _, out, _ = gridgen("feasible", "study.yaml", "--budget", "parameters=1M")
    rows = [line.split("  ")[0] for line in out.splitlines() if "feasible spec" in line]
    assert rows == ["custom 1", "custom 2", "unet"]
    out = " ".join(out.split())
    assert out.count('topology {"keep": ["lateral_*", "sub_*", "up_*"]}') == 2
    assert out.count('topology {"drop": ["lateral_1_1"]}') == 2
    assert "topology unet" not in out
    found = json.loads(gridgen("feasible", "study.yaml", "--json")[1])
    assert set(found["topologies"]) <= {"custom 1", "custom 2", "unet"}


def test_amounts_come_back_as_people_write_them_and_every_line_fits(shipped, gridgen):
    limits = ("macs=40GMAC", "training_memory=2GB", "inference_memory=1GiB", "size=400x400")
    budget = [part for limit in limits for part in ("--budget", limit)]
    code, out, _ = gridgen("feasible", "studies/budget.yaml", *budget, "--list", "2")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 100
    assert "have more than 40 GMAC\n" in out
    assert "of those within the others have more than 2 GB\n" in out
    assert "of those within the others have more than 1 GiB\n" in out
    assert out.count(" to train, ") >= 2
    assert out.count(" to predict\n") >= 2


def test_a_spec_that_breaks_two_limits_is_counted_in_both(gridgen):
    twice = ("--budget", "parameters=2k", "--budget", "macs=100M")
    _, out, _ = gridgen("feasible", "study.yaml", *twice)
    assert "\n            one spec may break several limits\n" in out
    _, out, _ = gridgen("feasible", "study.yaml", "--budget", "parameters=2k")
    assert "several limits" not in out


def test_json_says_what_it_was_counted_for_and_memory_where_it_is_limited(gridgen):
    _, out, _ = gridgen("feasible", "study.yaml", "--budget", "training_memory=1GB", "--json")
    found = json.loads(out)
    assert found["budget"]["size"] == [400, 400]
    assert (found["budget"]["crop"], found["budget"]["batch"]) == (8, 500)
    assert found["topologies"]["gridnet"]["smallest"]["training_memory"] > 10**6


def test_candidates_that_differ_in_a_unit_are_called_differently(place, gridgen):
    text = (place / "study.yaml").read_text("utf-8").replace("columns: [1+1, 2+2]", COLUMNS)
    (place / "study.yaml").write_text(text)
    _, out, _ = gridgen("feasible", "study.yaml", "--budget", "parameters=9")
    assert "F0 = 2, units.lateral bottleneck:" in " ".join(out.split())


def test_the_table_of_a_search_tells_candidates_apart(place, gridgen, monkeypatch):
    def engine(study, *others):
        return FunctionEngine(lambda job: job.network.base_channels / 10, study.objective)

    monkeypatch.setattr("gridgen.study.driver.search.engine_of", engine)
    text = (place / "study.yaml").read_text("utf-8").replace("streams: [2, 3]", "streams: [2]")
    text = text.replace("columns: [1+1, 2+2]", "columns: [1+1]\n  fusion: [sum, weighted]")
    (place / "study.yaml").write_text(text.replace("data: nowhere", "data: shapes"))
    code, out, err = gridgen("search", "study.yaml", "--trials", "4", "-o", "found")
    assert code == 0
    for words in ("F0 = 2, fusion sum", "F0 = 2, fusion weighted"):
        assert f"gridnet, 2 streams, 1+1 columns, {words}" in out
        assert f": gridnet, 2 streams, 1+1 columns, {words}\n" in err


@pytest.mark.parametrize("width", ["base_channels: [4, 8]", "channels: [[4, 9], [4, 10]]"])
def test_listed_specs_are_themselves_over_the_spec_that_the_docs_name(place, gridgen, width):
    text = (place / "study.yaml").read_text("utf-8").replace("streams: [2, 3]", "streams: [2]")
    (place / "study.yaml").write_text(re.sub(r"base_channels: \[.*\]", width, text))
    _, out, _ = gridgen("feasible", "study.yaml", "--budget", "parameters=1M", "--list", "99")
    _, told, _ = gridgen(
        "feasible", "study.yaml", "--budget", "parameters=1M", "--list", "99", "--json"
    )
    listed, found = listed_in(out), json.loads(told)["listed"]
    assert len(listed) == len(found) > 1
    for number, (line, cell) in enumerate(zip(listed, found, strict=True)):
        base, path = str(GRIDNET), f"{number}.safetensors"
        assert gridgen("build", base, *shlex.split(line), "-o", path)[0] == 0
        network = load_network(place / path)
        assert sum(each.numel() for each in network.parameters()) == cell["parameters"]
        assert network.grid.spec.total_dropout == 0
