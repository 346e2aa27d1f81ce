"""Every command where nothing is wrong: what it prints, and what it writes."""

import csv
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from cli.samples import SPEC
from gridgen.analysis import count as count_grid
from gridgen.analysis.lints import LINTS
from gridgen.architectures.names import ARCHITECTURES, spec_schema
from gridgen.data import DATASETS
from gridgen.emit import load_network
from gridgen.export import EXPORTERS
from gridgen.grid import FUSIONS, TOPOLOGIES, UNITS, build_grid, prune
from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.styles import ACTIVATIONS, NORMS
from gridgen.layouts import LAYOUTS
from gridgen.registries import REGISTRIES, SCHEMAS
from gridgen.render import draw
from gridgen.spec import GridSpec, Source
from gridgen.study import BASELINES, PRUNERS, SAMPLERS, Study
from gridgen.study.driver.dry_run import sampled
from gridgen.study.language.requirements import kept
from gridgen.training import RECIPES, Recipe
from gridgen.training.inference import INFERENCES, Inference
from gridgen.training.recipe import Augmentation
from gridgen.training.recipe.losses import LOSSES
from gridgen.training.recipe.sections import OPTIMIZERS, SCHEDULES
from gridgen.training.run.folder import FIELDS
from gridgen.training.tasks import TASKS

ROOT = Path(__file__).parents[2]
SPECS = sorted(
    path.relative_to(ROOT / "specs").as_posix() for path in (ROOT / "specs").rglob("*.yaml")
)
STUDIES = sorted(path.name for path in (ROOT / "studies").glob("*.yaml"))

MINE = "grid      2 streams, 1+1 columns, F0 = 2\n"
SUMMING = "the grid's summing residual U-Net, not the U-Net of 2015"


@pytest.mark.parametrize(("ending", "program"), [("svg", True), ("png", True), ("dot", False)])
def test_render_writes_the_picture_that_the_ending_names(ending, program, place, gridgen):
    code, out, err = gridgen("render", "mine.yaml", "-o", f"pictures/grid.{ending}")
    assert (code, err) == (0, "")
    assert out == (
        f"{MINE}topology  gridnet: 4 of 4 connections\nwrote     pictures/grid.{ending}\n"
    )
    picture = place / "pictures" / f"grid.{ending}"
    match ending:
        case "svg":
            assert ElementTree.parse(picture).getroot().tag.endswith("svg")
        case "png":
            with Image.open(picture) as image:
                image.verify()
        case "dot":
            assert picture.read_text("utf-8") == draw(build_grid(GridSpec.parse(SPEC))).source


def test_render_names_the_picture_after_spec_and_topology(place, gridgen):
    assert gridgen("render", "mine.yaml", "--as", "unet") == (
        0,
        f"{MINE}topology  unet: 4 of 4 connections\n"
        "          staircase: one stream per column\n"
        f"          {SUMMING}\nwrote     mine-unet.svg\n",
        "",
    )
    assert (place / "mine-unet.svg").stat().st_size > 1000


def test_what_lies_on_no_path_is_named(place, gridgen):
    (place / "mine.yaml").write_text(SPEC + "topology: {drop: [up_0_1]}\n")
    assert gridgen("render", "mine.yaml", "-o", "a.dot") == (
        0,
        f"{MINE}topology  custom: 1 of 4 connections\n"
        "removed   sub_1_0, lateral_1_1 (on no path from input to output)\n"
        "wrote     a.dot\n",
        "",
    )


def test_count_of_the_papers_network(shipped, gridgen):
    assert gridgen("count", "specs/gridnet.yaml") == (
        0,
        """\
grid         5 streams, 3+3 columns, F0 = 16
topology     gridnet: 49 of 49 connections
maps, paths  30, 371

for one image of 400x400
                      total            grid   stem   head        paper  paper/grid
parameters       13,181,097      13,172,160  2,838  6,099   10,027,008       0.761
activations     309,440,000     278,400,000                291,840,000       1.048
MACs         33,098,400,000  31,703,040,000

paper: the approximations of section 3.2, which know the full grid only

part              parameters                activations                          MACs
stem                   2,838  <1%            15,840,000   5%              437,760,000   1%
lateral (25)       7,871,520  60% #####     148,800,000  48% ####      18,432,000,000  56% ####
subsampling (12)   3,532,320  27% ##         57,600,000  19% #          6,635,520,000  20% ##
upsampling (12)    1,768,320  13% #          72,000,000  23% ##         6,635,520,000  20% ##
head                   6,099  <1%            15,200,000   5%              957,600,000   3%

stream    size     parameters                activations                         MACs
stream 0  400x400      53,577  <1%           146,240,000  47% ####      6,740,640,000  20% ##
stream 1  200x200     218,784   2%            88,320,000  29% ##        7,004,160,000  21% ##
stream 2  100x100     870,720   7% #          44,160,000  14% #         7,004,160,000  21% ##
stream 3  50x50     3,474,048  26% ##         22,080,000   7% #         7,004,160,000  21% ##
stream 4  25x25     8,563,968  65% #####       8,640,000   3%           5,345,280,000  16% #
each unit in the stream that it leads to, the head in the one that it comes from
""",
        "",
    )


def test_count_of_channels_that_do_not_double_has_no_paper(place, gridgen):
    (place / "mine.yaml").write_text(SPEC.replace("base_channels: 2", "channels: [2, 3]"))
    assert gridgen("count", "mine.yaml", "--size", "8x6") == (
        0,
        """\
grid         2 streams, 1+1 columns, channels 2/3
topology     gridnet: 4 of 4 connections
maps, paths  4, 2

for one image of 8x6
              total   grid  stem  head
parameters      780    519   108   153
activations   3,024  1,584
MACs         20,196  9,396

part         parameters                  activations                   MACs
stem                108  14% #                   720  24% ##          4,320  21% ##
lateral (2)         264  34% ###                 792  26% ###         5,400  27% ###
subsampling         151  19% ##                  336  11% #           1,620   8% #
upsampling          104  13% #                   456  15% ##          2,376  12% #
head                153  20% ##                  720  24% ##          6,480  32% ###

stream    size  parameters                  activations                    MACs
stream 0  8x6          449  58% ######            2,472  82% ########    16,632  82% ########
stream 1  4x3          331  42% ####                552  18% ##           3,564  18% ##
each unit in the stream that it leads to, the head in the one that it comes from
""",
        "",
    )


def test_count_pads_the_size_where_the_spec_does(place, gridgen):
    (place / "mine.yaml").write_text(SPEC + "size: pad\n")
    _, out, _ = gridgen("count", "mine.yaml", "--size", "7x5")
    assert "\nfor one image of 8x6, 7x5 by size: pad\n" in out


GRIDNET = {
    "parameters": {
        "total": 13_181_097,
        "grid": 13_172_160,
        "stem": 2838,
        "head": 6099,
        "paper": 10_027_008,
        "paper_ratio": 10_027_008 / 13_172_160,
    },
    "activations": {
        "total": 309_440_000,
        "grid": 278_400_000,
        "paper": 291_840_000,
        "paper_ratio": 291_840_000 / 278_400_000,
    },
    "macs": {"total": 33_098_400_000, "grid": 31_703_040_000},
    "connections": {"kept": 49, "full": 49},
    "maps": 30,
    "paths": 371,
    "size": [400, 400],
}
UNET = {
    "parameters": {
        "total": 9_647_337,
        "grid": 9_638_400,
        "stem": 2838,
        "head": 6099,
        "paper": 10_027_008,
        "paper_ratio": 10_027_008 / 9_638_400,
    },
    "activations": {
        "total": 223_040_000,
        "grid": 192_000_000,
        "paper": 291_840_000,
        "paper_ratio": 1.52,
    },
    "macs": {"total": 24_251_040_000, "grid": 22_855_680_000},
    "connections": {"kept": 33, "full": 49},
    "maps": 30,
    "paths": 5,
    "size": [400, 400],
}


@pytest.mark.parametrize(("topology", "expected"), [("gridnet", GRIDNET), ("unet", UNET)])
def test_count_as_json(topology, expected, shipped, gridgen):
    command = ["count", "specs/gridnet.yaml", "--size", "400x400", "--json", "--as", topology]
    code, out, err = gridgen(*command)
    assert (code, err) == (0, "")
    assert json.loads(out) == expected
    assert out == json.dumps(expected, indent=2) + "\n"


def test_build_writes_a_network_that_loads(shipped, gridgen):
    assert gridgen("build", "specs/gridnet.yaml", "--as", "unet") == (
        0,
        f"""\
grid        5 streams, 3+3 columns, F0 = 16
topology    unet: 33 of 49 connections
            ladder: down in column 0, up in column 5
            {SUMMING}
parameters  9,647,337
lints       1 finding: checkerboard; see gridgen lint specs/gridnet.yaml --as unet
wrote       runs/gridnet-unet.safetensors
""",
        "",
    )
    network = load_network(shipped / "runs" / "gridnet-unet.safetensors")
    assert sum(parameter.numel() for parameter in network.parameters()) == 9_647_337
    assert network.grid.spec.topology == "unet"


def test_build_writes_over_no_weights_of_others(shipped, gridgen):
    path = shipped / "other.safetensors"
    save_file({"layer.weight": torch.ones(3)}, path)
    before = path.read_bytes()
    code, out, err = gridgen("build", "specs/gridnet.yaml", "-o", str(path))
    told = f"-o: {path} holds what gridgen build did not write; name another file, or remove it"
    assert (code, out, err) == (2, "", f"{told}\n")
    assert path.read_bytes() == before


def columns(table: dict[str, str]) -> str:
    width = max(map(len, table)) + 2
    return "".join(f"{name:<{width}}{value}\n" for name, value in table.items())


LISTED = {
    "topologies": """\
gridnet      All connections: the paper's GridNet (figure 1).
conv-deconv  One path without branches: down, along the lowest stream, up (figure 3, blue).
unet         The conv-deconv path and each stream's laterals across it (figure 3, green).
             the grid's summing residual U-Net, not the U-Net of 2015
frrn         The conv-deconv path and a full-resolution stream, joined in every column (figure 3, \
yellow).
             the grid's FRRN-shaped subgraph, not the FRRN
resnet       Stream 0 alone: a pre-activation residual network at full resolution.
""",
    "fusions": """\
sum       added up (the paper's choice)
concat    concatenated, then a 1x1 convolution to the map's channels
weighted  averaged with a learnt weight >= 0 for each arrival (Tan et al. 2020)
""",
    "datasets": """\
nuclei      one micrograph of 125 nuclei: background, interior, border
            recipe demo
shapes      drawn figures, larger or smaller than a key in a far corner; without end
            recipe shapes
denoising   the micrograph with noise to take away; or denoising:PATH, {split}/images
            recipe denoising
cityscapes  cityscapes:PATH, street scenes of 19 classes; PATH/leftImg8bit, PATH/gtFine
            recipe paper
folder      PATH: any directory with {split}/images, {split}/labels, classes.txt
            recipe modern, fitted to its images
""",
    "recipes": columns(RECIPES),
    "samplers": """\
tpe     tree-structured Parzen estimator, multivariate: the default
nsga2   genetic, generations of 16
gp      Gaussian process, for few trials that take long; needs scipy
random  every candidate independent
grid    every candidate of the space, in its order
""",
    "pruners": """\
none       every candidate is trained to the end
median     ends for good what is below the median, after four trials and a third of the epochs
halving    asynchronous successive halving: pauses at each rung, the best quarter goes on
hyperband  brackets of successive halving: the best third goes on, some begin at higher rungs
""",
    "baselines": """\
unet    the widest U-Net within the budget, of the shapes that vary
random  as many candidates drawn at random, of which the best counts
""",
}
TABLES = {
    "topologies": list(TOPOLOGIES),
    "units": [f"{kind}: {name}" for kind, units in UNITS.items() for name in units],
    "fusions": list(FUSIONS),
    "stems": list(STEMS),
    "heads": list(HEADS),
    "norms": list(NORMS),
    "activations": list(ACTIVATIONS),
    "architectures": list(ARCHITECTURES),
    "lints": list(LINTS),
    "datasets": list(DATASETS),
    "recipes": list(RECIPES),
    "tasks": list(TASKS),
    "losses": list(LOSSES),
    "optimizers": list(OPTIMIZERS),
    "schedules": list(SCHEDULES),
    "augmentations": list(Augmentation.model_fields),
    "inferences": list(INFERENCES),
    "layouts": list(LAYOUTS),
    "exporters": list(EXPORTERS),
    "samplers": list(SAMPLERS),
    "pruners": list(PRUNERS),
    "baselines": list(BASELINES),
}


@pytest.mark.parametrize("what", LISTED)
def test_list_prints_names_and_what_they_are(what, gridgen):
    assert gridgen("list", what) == (0, LISTED[what], "")


def test_the_help_names_every_list(gridgen):
    code, out, _ = gridgen("list", "--help")
    assert code == 0
    said = " ".join(out.split()).split("List what has a name: ")[1].split(".")[0]
    assert said.split(", ") == list(REGISTRIES)


@pytest.mark.parametrize("what", REGISTRIES)
def test_every_name_is_listed_with_a_line_about_it(what, gridgen):
    code, out, err = gridgen("list", what)
    assert (code, err) == (0, "")
    rows = [re.split(r"  +", line) for line in out.splitlines() if not line.startswith(" ")]
    assert [row[0] for row in rows] == TABLES[what]
    assert all(len(row) == 2 and row[1] for row in rows)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("spec", spec_schema()),
        ("study", Study.json_schema()),
        ("recipe", Recipe.json_schema()),
        ("inference", Inference.json_schema()),
    ],
)
def test_schema_is_printed_as_json(what, expected, gridgen):
    assert gridgen("schema", what) == (0, json.dumps(expected, indent=2) + "\n", "")


def test_schema_of_specs_is_the_default(gridgen):
    assert gridgen("schema") == gridgen("schema", "spec")
    assert set(SCHEMAS) == {"spec", "study", "recipe", "inference"}


@pytest.mark.parametrize(("what", "folder"), [("spec", "specs"), ("study", "studies")])
def test_the_schema_that_is_shipped_is_the_one_that_is_printed(what, folder, gridgen):
    shipped = ROOT / folder / "schema.json"
    if not shipped.exists():
        pytest.skip(f"{folder}/schema.json is not shipped")
    _, out, _ = gridgen("schema", what)
    assert shipped.read_text("utf-8") == out, f"gridgen schema {what} > {folder}/schema.json"


def schema_faults(fields: dict[str, object]) -> list[str]:
    """What the schema of specs finds in names of fields: the unknown, the missing, no network."""
    schema = spec_schema()
    chosen = schema["else"]
    if "architecture" in fields:
        name = fields["architecture"]
        if name not in schema["properties"]["architecture"]["enum"]:
            return [f"no {name}"]
        rules = [(rule["if"]["properties"], rule["then"]) for rule in schema["then"]["allOf"]]
        (chosen,) = [then for names, then in rules if name in names["architecture"]["enum"]]
    network = schema["$defs"][chosen["$ref"].removeprefix("#/$defs/")]
    own = network["properties"].get("architecture", {})
    assert fields.get("architecture") in own.get("enum", [own.get("const")])
    assert network["additionalProperties"] is False
    unknown = [f"{name} is unknown" for name in fields if name not in network["properties"]]
    return unknown + [f"{name} is missing" for name in network["required"] if name not in fields]


@pytest.mark.parametrize("name", SPECS)
def test_the_schema_accepts_every_shipped_spec(name):
    assert schema_faults(Source.read(ROOT / "specs" / name).data) == []


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_schema_accepts_every_architecture_with_its_own_fields(name):
    fields = {"architecture": name, **ARCHITECTURES[name].settings(), "size": "pad"}
    assert schema_faults({"architecture": name}) == schema_faults(fields) == []
    assert schema_faults({**fields, "clases": 2}) == ["clases is unknown"]


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"architecture": "nope"}, ["no nope"]),
        ({"architecture": "unet-2015", "width": 8}, ["width is unknown"]),
        (
            {"streams": 2, "columns": "1+1", "clases": 2},
            ["clases is unknown", "classes is missing"],
        ),
    ],
)
def test_the_schema_refuses(fields, faults):
    assert schema_faults(fields) == faults


def test_all_references_of_the_schema_lead_somewhere():
    schema = spec_schema()
    names = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema)))
    assert names == set(schema["$defs"])


@pytest.mark.parametrize("name", SPECS)
def test_every_shipped_spec_counts_and_draws(name, shipped, gridgen):
    grid = build_grid(GridSpec.load(ROOT / "specs" / name))
    code, out, _ = gridgen("count", f"specs/{name}", "--json")
    assert code == 0
    assert json.loads(out) == json.loads(json.dumps(count_grid(grid).as_json()))
    code, out, _ = gridgen("render", f"specs/{name}", "-o", "a.dot")
    assert code == 0
    assert (shipped / "a.dot").read_text("utf-8") == draw(grid).source


def test_the_shipped_paper_network_has_the_parameters_it_says():
    path = ROOT / "specs" / "gridnet.yaml"
    total = count_grid(build_grid(GridSpec.load(path))).parameters.total
    assert f"{total:,} parameters" in path.read_text("utf-8")


@pytest.mark.parametrize("name", STUDIES)
def test_every_shipped_study_loads_and_has_candidates_within_its_budget(name):
    study = Study.load(ROOT / "studies" / name)
    found = sampled(study, 12)
    assert found.candidates
    for candidate in found.candidates:
        costs = study.budget.cost(build_grid(candidate.network))
        assert all(costs[quantity] <= limit for quantity, limit in study.budget.limits())


def test_train_writes_a_run_and_says_what_to_do_next(place, gridgen):
    command = ["train", "mine.yaml", "--data", "shapes", "--recipe", "quick.yaml", "--seed", "3"]
    code, out, err = gridgen(*command)
    assert code == 0
    assert re.fullmatch(
        re.escape(MINE) + r"topology  gridnet: 4 of 4 connections\n"
        r"val IoU   0\.[0-9]{4}\n"
        r"pace      [0-9.]+ images/s, [0-9]+% waiting for data\n"
        r"next      gridgen evaluate runs/gridnet-shapes --data shapes\n"
        r"          gridgen report runs/gridnet-shapes\n"
        r"wrote     runs/gridnet-shapes/weights\.safetensors, runs/gridnet-shapes/metrics\.csv, "
        r"runs/gridnet-shapes/steps\.csv, runs/gridnet-shapes/curve\.png, "
        r"runs/gridnet-shapes/predictions\.png\n",
        out,
    )
    *_, last = err.splitlines()
    assert re.fullmatch(r"epoch 1/1  loss [0-9.]+ +val IoU 0\.[0-9]{3}", last)
    run = place / "runs" / "gridnet-shapes"
    rows = list(csv.DictReader((run / "metrics.csv").read_text("utf-8").splitlines()))
    assert tuple(rows[0]) == (
        *(*FIELDS, "train_iou", "val_iou", "val_dice", "val_accuracy"),
        *("val_iou.background", "val_iou.larger", "val_iou.smaller"),
    )
    assert (rows[0]["epoch"], rows[0]["step"]) == ("1", "2")
    assert f"val IoU   {float(rows[0]['val_iou']):.4f}\n" in out
    assert json.loads((run / "run.json").read_text("utf-8"))["seed"] == 3
    for name in ("curve.png", "predictions.png"):
        with Image.open(run / name) as picture:
            picture.verify()
    assert load_network(run / "weights.safetensors").grid.spec == GridSpec.parse(SPEC)


def test_train_goes_on_with_a_run(with_run, gridgen):
    (with_run / "run" / "weights.safetensors").unlink()
    code, out, err = gridgen("train", "--resume", "run")
    assert (code, err) == (0, "")
    assert out.startswith(MINE)
    assert out.endswith(
        "wrote     run/weights.safetensors, run/metrics.csv, run/steps.csv, run/curve.png, "
        "run/predictions.png\n"
    )
    assert (with_run / "run" / "weights.safetensors").is_file()


def test_evaluate_scores_each_class_and_the_baseline(with_run, gridgen):
    code, out, err = gridgen("evaluate", "run", "--data", "shapes")
    assert (code, err) == (0, "")
    number = r"[01]\.[0-9]{4}"
    assert re.fullmatch(
        r"data          shapes, val: 64 images\n"
        r"weights       the last epoch\n"
        r"inference     whole images, fp32\n"
        rf"mean IoU      {number}\n"
        rf"mean Dice     {number}\n"
        rf"accuracy      {number}\n"
        rf"baseline IoU  {number}  \(best class per intensity, fitted on train\)\n"
        rf"margin        [+-]{number}\n"
        rf"worst images  val-[0-9]+ {number}, val-[0-9]+ {number}, val-[0-9]+ {number}\n"
        r"(?:odd           val: the network takes every pixel for background\n)?"
        r"(?:faster        --precision auto: bf16 on this cpu, with slightly other scores\n)?\n"
        r"class          IoU    Dice  precision  recall  share of pixels   pixels  predicted\n"
        rf"(?:(?:background|larger|smaller)(?: +(?:{number}|–)){{5}} +[0-9,]+ +[0-9,]+\n){{3}}"
        rf"mean      (?: +{number}){{2}}\n",
        out,
    )


def test_evaluate_as_json_has_the_score_that_the_training_ended_with(with_run, gridgen):
    code, out, err = gridgen("evaluate", "run", "--data", "shapes", "--no-baseline", "--json")
    assert (code, err) == (0, "")
    scored = json.loads(out)
    assert list(scored) == [
        *("model", "weights", "data", "split", "images", "inference"),
        *("mean_iou", "iou", "mean_dice", "dice", "accuracy"),
        *("baseline", "margin", "remarks", "worst", "tables"),
    ]
    assert list(scored["iou"]) == ["background", "larger", "smaller"]
    assert (scored["data"], scored["split"], scored["images"]) == ("shapes", "val", 64)
    assert (scored["baseline"], scored["margin"]) == (None, None)
    (row,) = csv.DictReader((with_run / "run" / "metrics.csv").read_text("utf-8").splitlines())
    assert scored["mean_iou"] == pytest.approx(float(row["val_iou"]), abs=1e-6)
    assert scored["mean_dice"] == pytest.approx(float(row["val_dice"]), abs=1e-6)
    assert scored["accuracy"] == pytest.approx(float(row["val_accuracy"]), abs=1e-6)


def test_predict_writes_a_picture_and_a_label_for_each_image(with_run, gridgen):
    Image.new("L", (8, 8), 9).save(with_run / "grey.png")
    with pytest.warns(UserWarning, match=r"1 of 2 images converted from grey to colour.*grey\.png"):
        found = gridgen("predict", "run", "image.png", "grey.png", "-o", "seen")
    assert found == (
        0,
        "wrote  seen/image.png, seen/image_labels.png\n"
        "wrote  seen/grey.png, seen/grey_labels.png\n",
        "",
    )
    for name, size in (("image", (20, 16)), ("grey", (8, 8))):
        with Image.open(with_run / "seen" / f"{name}_labels.png") as label:
            assert (label.mode, label.size) == ("P", size)
            assert np.asarray(label).max() < 3
        with Image.open(with_run / "seen" / f"{name}.png") as picture:
            picture.verify()


LISTED_CANDIDATE = r"^gridnet, 2 streams, [12]\+[12] columns, F0 = [24] +[0-9]+ +0\.[0-9]{4}"


@pytest.mark.slow
def test_search_trains_and_called_again_shows_what_it_found(place, gridgen):
    code, out, err = gridgen("search", "study.yaml")
    assert code == 0
    assert re.search(LISTED_CANDIDATE, out, re.MULTILINE)
    assert "\nfinished  2\n" in out
    assert re.search(r"^trial 2: val_iou 0\.[0-9]{4}; best 0\.[0-9]{4}", err, re.MULTILINE)
    found = place / "runs" / "search-study"
    names = ("best.yaml", "trials.csv", "trainings.csv", "report.html", "study.yaml", "study.db")
    for name in names:
        assert (found / name).is_file()
    assert kept(Study.load(place / "study.yaml")) == Study.load(found / "study.yaml")
    code, again, err = gridgen("search", "study.yaml")
    assert (code, err.splitlines()[0]) == (0, "2 of 2 done before")
    assert again.splitlines()[:3] == out.splitlines()[:3]
    code, built, _ = gridgen("build", "runs/search-study/best.yaml")
    assert (code, built.splitlines()[-1]) == (0, "wrote       runs/best-gridnet.safetensors")


def test_ctrl_c_says_how_a_search_goes_on(place, gridgen, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("gridgen.study.search", stopped)
    code, out, err = gridgen("search", "study.yaml")
    told = "the search in runs/search-study was stopped; the same command goes on\n"
    assert (code, out, err) == (130, "", told)


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_as_prunes_as_the_library_does(name, place, gridgen):
    code, out, _ = gridgen("count", "mine.yaml", "--as", name, "--json")
    assert code == 0
    pruned = prune(build_grid(GridSpec.parse(SPEC)), name)
    assert json.loads(out)["connections"] == {"kept": len(pruned.connections), "full": 4}


def test_as_overrides_a_topology_that_the_columns_do_not_allow(place, gridgen):
    (place / "mine.yaml").write_text(
        "streams: 2\ncolumns: [sub, up, sub, up]\nbase_channels: 2\nclasses: 2\ntopology: unet\n"
    )
    assert gridgen("count", "mine.yaml")[0] == 2
    code, out, _ = gridgen("count", "mine.yaml", "--as", "gridnet", "--json")
    assert (code, json.loads(out)["connections"]) == (0, {"kept": 10, "full": 10})


def test_a_dry_run_says_what_it_could_not_check(gridgen, tmp_path):
    text = (ROOT / "studies" / "nuclei.yaml").read_text("utf-8")
    path = tmp_path / "study.yaml"
    path.write_text(text.replace("data: nuclei", "data: later"), "utf-8")
    code, out, err = gridgen("search", str(path), "--dry-run")
    assert (code, err) == (0, "")
    assert "unchecked  nothing is checked against the data: " in out
    assert "later: no such folder" in out
    _, out, _ = gridgen("search", str(path), "--dry-run", "--json")
    assert json.loads(out)["unchecked"]
    code, _, err = gridgen("search", str(path), "--dry-run", "--storage", "journal")
    assert (code, err) == (
        2,
        "--dry-run trains and writes nothing, and reads no trials; leave out --storage\n",
    )
