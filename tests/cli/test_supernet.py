"""`gridgen supernet`: train, score, take, front, check; and searches by a supernet."""

import csv
import json
import shlex
from pathlib import Path

import pytest

from gridgen.grid import GridSpec
from gridgen.grid.subtopologies import Subtopology
from gridgen.space import subnetworks
from gridgen.supernet.plan import train_supernet
from gridgen.training import Recipe

SPEC = GridSpec(streams=2, columns="1+1", base_channels=4, classes=3, size="pad")
RECIPE = """\
epochs: 1
batch: 250
learning_rate: 0.01
crop: {smallest: 8, largest: 8, size: 8}
"""
STUDY = """\
data: shapes
spec: {classes: 3, streams: 2, columns: 1+1, size: pad}
space:
  base_channels: [2, 4]
  topology: [unet, resnet]
recipe: quick.yaml
trials: 2
baselines: []
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("supernet") / "run"
    recipe = Recipe.parse(RECIPE).but(supernet={"base_channels": [2, 4], "recalibration": 2})
    return str(train_supernet(SPEC, "shapes", recipe, folder=folder).folder)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick.yaml").write_text(RECIPE)
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "spec.yaml").write_text("streams: 2\ncolumns: 1+1\nbase_channels: 2\nclasses: 3\n")
    return tmp_path


def test_a_study_is_trained_without_naming_the_command(gridgen, here):
    code, out, err = gridgen("supernet", "study.yaml", "-o", "all")
    assert code == 0, err
    assert "all/weights.safetensors" in out
    recipe = Recipe.load(here / "all" / "recipe.yaml")
    assert recipe.supernet.base_channels == (2, 4)
    code, _, _ = gridgen("supernet", "score", "all", "unet")
    assert code == 0


def test_a_spec_is_trained_with_all_of_its_sub_topologies(gridgen, here):
    asked = ("spec.yaml", "--data", "shapes", "--recipe", "quick.yaml")
    code, _, err = gridgen("supernet", "train", *asked, "--set", "recipe.supernet.samples=1")
    assert code == 0, err
    supernet = Recipe.load(here / "runs" / "gridnet-supernet-shapes" / "recipe.yaml").supernet
    assert (supernet.topologies, supernet.samples) == ("every", 1)


def test_fields_of_a_study_s_recipe_can_be_set(gridgen, here):
    code, _, err = gridgen(
        "supernet", "study.yaml", "-o", "all", "--set", "recipe.supernet.sampling=cost"
    )
    assert code == 0, err
    assert Recipe.load(here / "all" / "recipe.yaml").supernet.sampling == "cost"


def test_scores_are_a_table_with_what_they_are_worth(gridgen, run, here):
    code, out, err = gridgen("supernet", "score", run, "unet", "spec.yaml", "resnet")
    assert (code, err) == (0, "")
    first, *rows, last = out.splitlines()
    assert first.split() == ["sub-network", "val_iou", "parameters", "MACs"]
    assert [row.split(",")[0] for row in rows] == ["gridnet", "gridnet", "resnet"]
    assert last.startswith("trust  unchecked: gridgen supernet check")
    code, out, _ = gridgen("supernet", "score", run, "unet", "--json")
    told = json.loads(out)
    assert told["scored"][0]["scores"].keys() >= {"val_iou", "val_accuracy"}
    assert told["agreement"] is None


def test_what_is_taken_is_evaluated_exported_and_trained_from(gridgen, run, here):
    code, out, err = gridgen("supernet", "take", run, "--as", "unet", "-o", "u.safetensors")
    assert (code, err) == (0, "")
    assert out.endswith("wrote  u.safetensors\n")
    code, said, _ = gridgen("evaluate", "u.safetensors", "--data", "shapes", "--json")
    assert code == 0
    assert f"{json.loads(said)['mean_iou']:.4f}" in out
    assert gridgen("export", "u.safetensors", "--to", "source", "-o", "u.py")[0] == 0
    code, _, err = gridgen(
        *("train", "spec.yaml", "--set", "base_channels=4", "--data", "shapes"),
        *("--recipe", "quick.yaml", "--init", "u.safetensors", "-o", "tuned"),
    )
    assert code == 0, err
    assert "inherited: " in err


def test_a_supernet_is_not_written_over_by_what_is_taken_of_it(gridgen, run, here):
    weights = Path(run) / "weights.safetensors"
    before = weights.read_bytes()
    told = f"{weights} is kept by a run; name another\n"
    asked = ("supernet", "take", run, "--as", "unet", "-o", str(weights))
    assert gridgen(*asked) == (2, "", told)
    assert weights.read_bytes() == before


def test_connections_and_widths_can_be_taken(gridgen, run, here):
    code, out, err = gridgen(
        *("supernet", "take", run, "--keep", "lateral_0_*", "--width", "2", "-o", "u.safetensors")
    )
    assert (code, err) == (0, "")
    assert "resnet, F0 = 2" in out


def test_what_the_front_shows_can_be_taken(gridgen, run, here):
    code, out, _ = gridgen("supernet", "front", run, "-o", "page.html", "--json")
    shown = json.loads(out)["front"][0]
    name = shown["name"].partition(",")[0]
    width = str(shown["spec"]["base_channels"])
    code, out, err = gridgen(
        *("supernet", "take", run, "--as", name, "--width", width, "-o", "u.safetensors")
    )
    assert (code, err) == (0, "")
    assert shown["name"] in out
    _, out, _ = gridgen("supernet", "front", run, "-o", "page.html")
    label, command = out.splitlines()[-1].split(maxsplit=1)
    assert label == "next"
    assert command in (here / "page.html").read_text("utf-8")
    code, out, err = gridgen(*shlex.split(command)[1:])
    assert (code, err) == (0, "")
    assert json.loads(gridgen("supernet", "front", run, "--json")[1])["front"][-1]["name"] in out


def test_what_was_scored_can_be_taken_where_there_are_too_many_to_list(
    gridgen, run, here, monkeypatch
):
    monkeypatch.setattr(subnetworks, "LISTED", 1)
    gridgen("supernet", "front", run, "--sample", "2", "-o", "page.html")
    rows = list(csv.DictReader((here / run / "subnetworks.csv").read_text("utf-8").splitlines()))
    assert rows[0]["topology"] == Subtopology(tuple(rows[0]["connections"].split())).name
    code, _, err = gridgen("supernet", "score", run, rows[0]["topology"])
    assert (code, err) == (0, "")
    code, _, err = gridgen("supernet", "score", run, "0123456789ab")
    assert code == 2
    assert "unknown topology, hash or YAML file '0123456789ab'; known: " in err


def test_a_spec_can_be_taken(gridgen, run, here):
    code, out, err = gridgen("supernet", "take", run, "spec.yaml", "-o", "u.safetensors")
    assert (code, err) == (0, "")
    assert "gridnet, F0 = 2" in out


def test_the_best_within_a_budget_is_taken(gridgen, run, here):
    code, out, err = gridgen(
        *("supernet", "take", run, "--under", "parameters=1k", "-o", "u.safetensors")
    )
    assert (code, err) == (0, "")
    parameters = int(out.splitlines()[2].split()[-2].replace(",", ""))
    assert parameters <= 1000


def test_the_front_is_a_page(gridgen, run, here):
    code, out, err = gridgen("supernet", "front", run, "-o", "page.html")
    assert (code, err) == (0, "")
    assert out.startswith("scored")
    assert out.splitlines()[-2].split() == ["wrote", "page.html"]
    assert "<svg" in (here / "page.html").read_text("utf-8")
    code, out, _ = gridgen("supernet", "front", run, "-o", "page.html", "--json")
    assert json.loads(out)["number"] == 6


def test_a_search_by_a_supernet_trains_nothing(gridgen, run, here):
    code, out, err = gridgen("search", "study.yaml", "--supernet", run, "-o", "found")
    assert code == 0, err
    assert f"by the supernet {run}: unchecked" in out
    assert not list(here.glob("found/trials/*/*/weights.safetensors"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing.yaml",), "nothing.yaml: No such file or directory"),
        (("spec.yaml",), "give --data (gridgen list datasets) beside a spec, or a study"),
        (("unet-2015", "--data", "nuclei"), "unet-2015 is a network of its own; sub-networks"),
        (("study.yaml", "--set", "classes=4"), "--set classes=4: the study has the spec; set"),
        (("study.yaml", "--recipe", "demo"), "--recipe: the study says it; leave the option out"),
        (("score", "RUN"), "gridgen supernet score: Missing argument 'SPEC...'"),
        (("score", "here", "unet"), "here: no run there (no run.json)"),
        (
            ("score", "RUN", "u-net"),
            "unknown topology, hash or YAML file 'u-net'; did you mean 'unet'?",
        ),
        (
            ("take", "RUN", "-o", "u.safetensors"),
            "give one of SPEC, --as TOPOLOGY, --keep",
        ),
        (("take", "RUN", "--as", "unet", "-o", "u.onnx"), "-o: u.onnx does not end in .safeten"),
        (
            ("take", "RUN", "--as", "u-net", "-o", "u.safetensors"),
            "unknown topology, hash or YAML fil",
        ),
        (
            ("take", "RUN", "--as", "unet", "--width", "9", "-o", "u.safetensors"),
            "base_channels is 9, but the whole network has 4; give 4 at most",
        ),
        (
            ("take", "RUN", "--under", "parameters=10", "-o", "u.safetensors"),
            "the smallest sub-network is over the budget: ",
        ),
        (
            ("scor", "RUN", "unet"),
            "unknown command 'scor'; did you mean 'score'?",
        ),
        (
            ("take", "RUN", "--as", "unet", "--objective", "val_iou", "-o", "u.safetensors"),
            "--objective and --sample are of --under; leave them out",
        ),
        (
            ("take", "RUN", "--as", "unet", "--width", "3", "-o", "u.safetensors"),
            "base_channels is 3, which was not trained; give one of 2, 4",
        ),
        (("take", "RUN", "--under", "speed=10", "-o", "u.safetensors"), "--under: "),
        (("front", "RUN", "--objective", "iou", "-o", "p.html"), "--objective: unknown score"),
        (("check", "RUN"), "give runs of networks trained alone, or --benchmark"),
        (("check", "RUN", "RUN"), "no finished training from random weights there"),
        (
            ("check", "RUN", "ALONE"),
            "ALONE: no such folder; name that of a training, or of a search",
        ),
        (("check", "RUN", "RUN", "--benchmark"), "--benchmark: runs are given too; leave one of"),
        (
            ("check", "RUN", "--benchmark"),
            "was trained on other images than the topology benchmark",
        ),
    ],
)
def test_wrong_arguments_are_one_line_and_nothing_is_written(gridgen, run, here, arguments, said):
    before = sorted(here.iterdir())
    given = [run if each == "RUN" else each for each in arguments]
    code, out, err = gridgen("supernet", *given)
    assert (code, out) == (2, ""), err
    assert said in err, err
    assert len(err.strip().splitlines()) == 1
    assert sorted(here.iterdir()) == before
