"""Study files: what is refused, with the whole text, and what a point of the space becomes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gridgen.errors import SpecError, unknown
from gridgen.spec import GridSpec
from gridgen.spec.document import dump
from gridgen.study import PRUNERS, SAMPLERS, Study
from gridgen.study.candidates.counting import described
from gridgen.study.language.requirements import require_data
from gridgen.study.language.varied import named_specs
from gridgen.training import Recipe, load_recipe
from study.fakes import TEXT, study

SPACE = "  streams: [2, 3]\n  columns: [1+1, 2+2]\n  base_channels: [4, 8]\n"
SPEC_FIELDS = (
    "activation, base_channels, channels, classes, columns, dimensions, fusion, head, "
    "in_channels, norm, residual, "
    "side_channels, size, stem, streams, topology, total_dropout, units"
)
NAME = "^[a-z][a-z0-9_-]{0,63}$"


def refused(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        Study.parse(text.replace("@", ""), "s.yaml")
    return str(caught.value)


def located(text: str, fact: str) -> str:
    """The whole message about the place that `@` marks in `text`."""
    before, _ = text.split("@")
    number, column = before.count("\n") + 1, len(before) - before.rfind("\n") - 1
    line = text.replace("@", "").split("\n")[number - 1]
    return f"s.yaml:{number}:{column + 1}: {fact}\n{number:>6} | {line}\n       | {' ' * column}^"


RANGE, APART = "a range such as {low: 2, high: 8}", "or move what does not vary out of space"
SEEDS = "give 1 at least, or a list of seeds"


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("data: @5", "data: 5 is not a word"),
        ("data: @[shapes]", "data: ['shapes'] is not a word"),
        ("spec: @[]", "spec: [] has no fields; write `field: value` lines"),
        ("spec: @{}", "spec: classes: this field is missing; add it"),
        ("spec: {classes: @0}", "spec.classes: 0 is less than 1"),
        (
            "spec: {classes: 3, clases: @3}",
            f"spec.clases: {unknown('field', 'clases', ['classes'])}",
        ),
        (
            "spec: {classes: 3, units: @5}",
            "spec.units: 5 has no fields; write lines of lateral, subsampling, upsampling",
        ),
        (
            "spec: {classes: 3, units: {lateral: @residul}}",
            (f"spec.units.lateral: {unknown('lateral unit', 'residul', ['residual'])}"),
        ),
        (
            "spec: {classes: 3, topology: @unett}",
            f"spec.topology: {unknown('topology', 'unett', ['unet'])}",
        ),
        (
            "spec: {classes: 3, channels: @[1, 2]}",
            "spec.channels: given beside base_channels; leave one of the two out, or null",
        ),
        ("space: @{}", "space: nothing varies; give fields here, or a list under specs"),
        ("space: @[streams]", "space: ['streams'] has no fields; write `field: value` lines"),
        ("budget: @5", "budget: 5 has no fields; write `field: value` lines"),
        ("budget: @null", "budget: null has no fields; write `field: value` lines"),
        (
            "budget: {@params: 5}",
            f"budget.params: {unknown('field', 'params', ['parameters'])}",
        ),
        ("budget: {parameters: @0}", "budget.parameters: 0 is less than 1"),
        ("budget: {parameters: @1e6}", "budget.parameters: 1000000.0 is not a whole number"),
        (
            "budget: {activations: @many}",
            "budget.activations: 'many' is not an amount; write a number such as 500k or 10M",
        ),
        (
            "budget: {parameters: @10 apples}",
            "budget.parameters: unknown unit 'apples' in '10 apples'; "
            "write a number such as 500k or 10M",
        ),
        (
            "budget: {macs: @30g}",
            "budget.macs: unknown unit 'g' in '30g'; did you mean '30G'?",
        ),
        (
            "budget: {training_memory: @8gb}",
            "budget.training_memory: unknown unit 'gb' in '8gb'; did you mean '8GB'?",
        ),
        ("budget: {inference_memory: @-3M}", "budget.inference_memory: -3000000 is less than 1"),
        ("budget: {min_receptive_field: @0}", "budget.min_receptive_field: 0 is less than 1"),
        (
            "budget: {@receptive_field: 9}",
            (
                "budget.receptive_field: "
                f"{unknown('field', 'receptive_field', ['min_receptive_field'])}"
            ),
        ),
        ("budget: {batch: @0}", "budget.batch: 0 is less than 1"),
        (
            "budget: {precision: @fp8}",
            "budget.precision: 'fp8' is not one of: 'fp32', 'bf16' or 'fp16'",
        ),
        ("budget: {macs: @true}", "budget.macs: true is not a whole number"),
        ("budget: {size: @400}", "budget.size: 400 is not a list"),
        ("budget: {size: @[1, 2, 3, 4]}", "budget.size: 4 values; 3 at most"),
        ("budget: {size: [@0, 400]}", "budget.size.0: 0 is less than 1"),
        ("budget: {size: [400, @70000]}", "budget.size.1: 70000 is more than 65536"),
        (
            "budget: {size: @400by400}",
            "budget.size: '400by400' is not a size; write HEIGHTxWIDTH, such as 360x480 "
            "(volumes: 64x64x32)",
        ),
        ("budget: {training_memory: @12}", "budget.training_memory: 12 bytes? write 12MB or 12GB"),
        ("budget: {size: [400, @'4']}", "budget.size.1: '4' is not a whole number"),
        ("budget: {bound: @papr}", "budget.bound: 'papr' is not one of: 'exact' or 'paper'"),
        (
            "recipe: @demoo",
            f"recipe: {unknown('recipe or YAML file', 'demoo', ['demo'])}",
        ),
        ("recipe: @5", "recipe: 5 has no fields; write `field: value` lines"),
        (
            "recipe: {epochs: @0, batch: 1, learning_rate: 1, "
            "crop: {smallest: 1, largest: 1, size: 8}}",
            "recipe.epochs: 0 is less than 1",
        ),
        (
            "recipe: {epochs: 1, batch: 1, learning_rate: 1, "
            "crop: @{smallest: 2, largest: 1, size: 8}}",
            "recipe.crop: smallest 2 is more than largest 1",
        ),
        ("sampler: @tpee", f"sampler: {unknown('sampler', 'tpee', ['tpe'])}"),
        ("sampler: @5", "sampler: 5 is not a word"),
        (
            "pruner: @x",
            f"pruner: {unknown('pruner', 'x', ['halving', 'hyperband', 'median', 'none'])}",
        ),
        (
            "objective: @iou",
            f"objective: {unknown('objective', 'iou', ['val_iou', 'holdout_iou'])}",
        ),
        ("seed: @-1", "seed: -1 is less than 0"),
        ("seed: @'1'", "seed: '1' is not a whole number"),
        ("trials: @0", "trials: 0 is less than 1"),
        ("trials: @100001", "trials: 100001 is more than 100000"),
        ("@trails: 5", f"trails: {unknown('field', 'trails', ['trials'])}"),
    ],
)
def test_a_bad_field_is_shown_at_its_place(line, fact):
    field = line.replace("@", "").split(":")[0]
    head, space, tail = TEXT.partition("space:\n" + SPACE)
    lines = [old for old in (head + tail).splitlines() if not old.startswith(f"{field}:")]
    rest = "\n".join(lines) + "\n" + ("" if field == "space" else space)
    text = f"{rest}{line}\n"
    assert refused(text) == located(text, fact)


@pytest.mark.parametrize("field", ["data", "recipe"])
def test_a_missing_field_is_named(field):
    head, space, tail = TEXT.partition("space:\n" + SPACE)
    lines = [old for old in (head + tail).splitlines() if not old.startswith(f"{field}:")]
    text = "\n".join(lines) + "\n" + ("" if field == "space" else space)
    assert refused(text) == located(f"@{text}", f"{field}: this field is missing; add it")


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("streams: @[]", "space.streams: 0 values; at least 1"),
        ("streams: @5", f"space.streams: 5 is no list of values; write a list, {RANGE}, {APART}"),
        (
            "streams: @2..5",
            f"space.streams: '2..5' is no list of values; write a list, {APART}",
        ),
        (
            "streams: @null",
            f"space.streams: null is no list of values; write a list, {APART}",
        ),
        ("streams: [@0, 2]", "space.streams.0: 0 is less than 1"),
        ("streams: [2, @'3']", "space.streams.1: '3' is not a whole number"),
        ("streams: [2, @true]", "space.streams.1: true is not a whole number"),
        ("streams: [2, @17]", "space.streams.1: 17 is more than 16"),
        ("streams: @{low: 3, high: 2}", "space.streams: low 3 is more than high 2"),
        ("streams: @{low: 1}", "space.streams: high: this field is missing; add it"),
        (
            "streams: {low: 1, high: 3, @stp: 2}",
            f"space.streams.stp: {unknown('field', 'stp', ['step'])}",
        ),
        ("streams: {low: @0, high: 3}", "space.streams.low: 0 is less than 1"),
        ("streams: {low: 1, high: @40}", "space.streams.high: 40 is more than 16"),
        ("streams: {low: @1.0, high: 3}", "space.streams.low: 1.0 is not a whole number"),
        ("streams: {low: @a, high: 3}", "space.streams.low: 'a' is not a number"),
        ("streams: {low: 1, high: @true}", "space.streams.high: true is not a number"),
        ("streams: {low: 1, high: @1e999}", "space.streams.high: inf is not a number"),
        ("streams: {low: 1, high: 3, step: @0}", "space.streams.step: 0 is not more than 0"),
        (
            "streams: @{low: 1, high: 3, step: 0.5}",
            "space.streams: step 0.5 is not a whole number, but low and high are",
        ),
        (
            "streams: @{low: 2, high: 9, step: 3}",
            "space.streams: steps of 3 from low 2 do not reach high 9; the last is 8",
        ),
        (
            "streams: @{low: 1, high: 4, step: 1, log: true}",
            "space.streams: log needs a low above 0 and takes no step",
        ),
        (
            "streams: @{low: 0, high: 4, log: true}",
            "space.streams: log needs a low above 0 and takes no step",
        ),
        (
            "streams: {low: 1, high: 4, log: @1}",
            "space.streams.log: 1 is neither true nor false",
        ),
        (
            "columns: [1+1, @2]",
            "space.columns.1: 2 is neither a list of sub and up nor of the form 3+3",
        ),
        (
            "columns: [[sub, up], [sub, @dwn]]",
            "space.columns.1.1: 'dwn' is not one of: 'sub' or 'up'",
        ),
        (
            "columns: [@3-3]",
            "space.columns.0: '3-3' is neither a list of sub and up nor of the form 3+3",
        ),
        ("fusion: [sum, @summ]", f"space.fusion.1: {unknown('fusion', 'summ', ['sum'])}"),
        ("stem: [@cnv]", f"space.stem.0: {unknown('stem', 'cnv', ['conv'])}"),
        ("head: [@dconv]", f"space.head.0: {unknown('head', 'dconv', ['deconv'])}"),
        (
            "topology: [gridnet, @unett]",
            f"space.topology.1: {unknown('topology', 'unett', ['unet'])}",
        ),
        (
            "topology: [gridnet, @[unet]]",
            "space.topology.1: ['unet'] is no topology; "
            "give a name, {keep: [...]} or {drop: [...]}",
        ),
        ("topology: [{keep: @[]}]", "space.topology.0.keep: 0 values; at least 1"),
        (
            "total_dropout: {low: 0, high: @1}",
            "space.total_dropout.high: 1 is not less than 1.0",
        ),
        (
            "total_dropout: @{low: 0, high: 0.5, step: 0.2}",
            "space.total_dropout: steps of 0.2 from low 0 do not reach high 0.5; the last is 0.4",
        ),
        (
            "units.lateral: [residual, @Basic]",
            "space.units.lateral.1: unknown lateral unit 'Basic'; "
            "known: bottleneck, residual, separable",
        ),
        (
            "units.lateral: [residual, @basic]",
            (
                "space.units.lateral.1: "
                f"{unknown('lateral unit', 'basic', ['bottleneck', 'residual', 'separable'])}"
            ),
        ),
        (
            "units.laterl: [@residual]",
            f"space.units.laterl.0: {unknown('field', 'laterl', ['lateral'])}",
        ),
        (
            "residual.lateral.x: @[true]",
            "space.residual.lateral.x: {'x': True} is neither true nor false",
        ),
        (
            "channels: [@[1, 2]]",
            "space.channels.0: given beside base_channels; leave one of the two out, or null",
        ),
        ("strems: @[2]", f"space.strems: {unknown('spec field', 'strems', ['streams'])}"),
        (
            "zzz: @[2]",
            f"space.zzz: unknown spec field 'zzz'; known: {SPEC_FIELDS}",
        ),
        ("1: @[2]", f"space.1: unknown spec field '1'; known: {SPEC_FIELDS}"),
    ],
)
def test_a_bad_choice_is_shown_at_its_place(line, fact):
    field = line.replace("@", "").split(":")[0]
    kept = [old for old in SPACE.splitlines() if not old.startswith(f"  {field}:")]
    text = TEXT.replace(SPACE, "\n".join([*kept, f"  {line}"]) + "\n")
    assert refused(text) == located(text, fact)


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path, monkeypatch):
    for name in ("a/net.yaml", "b/net.yaml", "net.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("streams: 2\ncolumns: 1+1\nbase_channels: 4\nclasses: 3\n")
    monkeypatch.chdir(tmp_path)
    near = named_specs(["a/net.yaml", "b/net.yaml"])
    assert [*near] == ["a/net", "b/net"]
    assert [*named_specs([f"{tmp_path}/a/net.yaml", "b/../b/net.yaml"])] == [*near]
    assert [*named_specs(["net.yaml", "b/net.yaml"])] == [f"{tmp_path.name}/net", "b/net"]
    assert [*named_specs(["a/net.yaml", "unet-2015"])] == ["net", "unet-2015"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (TEXT.replace("{classes: 3}", "{architecture: @unet-2015}"), "spec"),
        (TEXT.replace(SPACE, "  architecture: @[unet-2015, hrnet]\n"), "space"),
        (TEXT.replace(SPACE, SPACE + "  architecture: @unet-2015\n"), "space"),
    ],
)
def test_published_networks_stand_under_specs(text, where):
    assert refused(text) == located(
        text,
        f"{where}.architecture: an architecture is a network, and no field of one; "
        "list it under specs",
    )


def test_a_field_varies_as_a_whole_or_in_its_parts():
    text = TEXT.replace(SPACE, SPACE + "  units.lateral: @[residual]\n  units: [{}]\n")
    assert refused(text) == located(
        text, "space.units.lateral: units varies as a whole already; remove one"
    )


def test_a_path_into_a_value_without_fields_is_refused():
    text = TEXT.replace("{classes: 3}", "{classes: 3, topology: unet}")
    text = text.replace(SPACE, SPACE + "  topology.keep: @[[lateral_*]]\n")
    assert refused(text) == located(
        text, 'space.topology.keep: topology is "unet", which has no fields'
    )


def test_what_all_share_is_blamed_and_not_the_choice_beside_it():
    text = TEXT.replace("{classes: 3}", "{classes: 3, channels: [1, 2]}")
    text = text.replace("  base_channels: [4, 8]\n", "")
    assert refused(text) == located(
        text.replace("channels: [1, 2]", "channels: @[1, 2]"),
        "spec.channels: 2 values for 3 streams; give one per stream",
    )


def test_a_recipe_file_with_a_mistake_is_shown_with_its_own_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.yaml").write_text("epochs: 0\nbatch: 1\nlearning_rate: 1\ncrop: {}\n")
    text = TEXT.replace("recipe: demo", "recipe: r.yaml")
    assert refused(text).startswith("s.yaml:8:9: recipe: r.yaml:1:9: epochs: 0 is less than 1\n")


def test_every_sampler_goes_with_every_pruner():
    for sampler in SAMPLERS:
        for pruner in PRUNERS:
            study(sampler=sampler, pruner=pruner)


def test_a_recipe_is_a_name_a_file_or_written_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demo = load_recipe("demo")
    (tmp_path / "mine.yaml").write_text(dump(demo))
    assert study(recipe="demo").training == demo
    assert study(recipe="mine.yaml").training == demo
    assert study(recipe=demo.plain()).training == demo
    assert isinstance(study(recipe=demo.plain()).recipe, Recipe)


def test_a_candidate_is_the_shared_spec_with_the_point_over_it():
    searched = study(spec={"classes": 3, "in_channels": 1, "base_channels": 2})
    point = {"streams": 3, "columns": ["sub", "up"], "base_channels": 8}
    assert searched.network(point) == GridSpec(
        streams=3, columns="1+1", base_channels=8, classes=3, in_channels=1
    )
    assert searched.spec == {"classes": 3, "in_channels": 1, "base_channels": 2}


def test_a_path_reaches_into_units_and_leaves_the_others():
    searched = study(
        spec={"classes": 3, "units": {"subsampling": "max-pool"}},
        space={
            **study().plain()["space"],
            "units.lateral": ["residual", "bottleneck"],
            "units.upsampling": ["deconv"],
        },
    )
    point = {"streams": 2, "columns": "1+1", "base_channels": 4}
    spec = searched.network({**point, "units.lateral": "bottleneck"})
    assert (spec.units.lateral, spec.units.subsampling) == ("bottleneck", "max-pool")


def test_a_candidate_that_does_not_fit_is_an_error():
    with pytest.raises(SpecError) as caught:
        study().network({"streams": 0, "columns": "1+1", "base_channels": 4})
    assert str(caught.value) == "streams: 0 is less than 1"


def test_a_study_survives_being_written():
    written = study(
        space={
            "streams": {"low": 1, "high": 3},
            "columns": [["sub", "up"], "2+2"],
            "base_channels": {"low": 4, "high": 64, "log": True},
            "topology": ["unet", {"keep": ["lateral_*"]}, None],
        },
        recipe=load_recipe("demo").plain(),
    )
    assert Study.parse(dump(written)) == written


@pytest.mark.parametrize(
    ("data", "objective", "fix"),
    [("shapes", "val_psnr", "val_iou"), ("{greys}", "val_iou", "val_psnr")],
)
def test_an_objective_that_the_data_does_not_score_is_refused(data, objective, fix, tmp_path):
    for split in ("train", "val"):
        (tmp_path / split / "images").mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / split / "images" / "a.png")
    name = data.replace("{greys}", f"denoising:{tmp_path}")
    with pytest.raises(SpecError) as caught:
        require_data(study(data=name, objective=objective))
    shown = data.replace("{greys}", f"denoising:{tmp_path.name}")
    assert str(caught.value) == f"objective: {objective} is not scored on {shown}; set {fix}"


def test_memory_is_limited_for_the_recipes_batch_and_precision_unless_the_budget_says():
    text = """
data: shapes
spec: {classes: 3}
space: {streams: [2], columns: [1+1], base_channels: [4]}
budget: {training_memory: 8GB, %s}
recipe:
  epochs: 1
  batch: 7
  learning_rate: 0.01
  precision: bf16
  recompute: unit
  crop: {smallest: 8, largest: 8, size: 8}
"""
    told = Study.parse(text % "size: [64, 64]").limits
    assert (told.batch, told.precision, told.recompute) == (7, "bf16", "unit")
    told = Study.parse(text % "batch: 2, precision: fp32").limits
    assert (told.batch, told.precision, told.recompute) == (2, "fp32", "unit")


@pytest.mark.parametrize("said", ["size: 64x64", "batch: 2", "precision: fp32", "crop: 32", ""])
def test_a_stored_study_has_the_limits_of_the_study(said):
    searched = Study.parse(
        TEXT.replace("{parameters: 20000}", "{training_memory: 40MB, " + said + "}")
    )
    kept = Study.parse(dump(searched))
    assert kept.limits == searched.limits
    assert kept.limits.batch == (2 if said == "batch: 2" else load_recipe("demo").batch)


def test_training_is_counted_on_the_recipes_crops_unless_the_budget_has_a_size():
    side = load_recipe("demo").crop.size
    told = study(budget={"training_memory": "1GB"}).limits
    assert (told.crop, told.size) == (side, None)
    told = study(budget={"training_memory": "1GB", "size": [96, 128]}).limits
    assert (told.crop, told.size) == (None, (96, 128))
    told = study(budget={"training_memory": "1GB", "crop": 32}).limits
    assert (told.crop, told.size) == (32, None)


VARIED = """\
data: shapes
spec: {classes: 3, columns: 1+1, base_channels: 4}
space:
  streams: [2, 3]
  recipe.optimizer.name: [adam, sgd]
  recipe.optimizer.momentum: {low: 0.5, high: 0.9, when: {recipe.optimizer.name: sgd}}
  recipe.learning_rate: {low: 0.001, high: 0.01, log: true}
recipe: demo
"""


def test_fields_of_the_recipe_vary():
    searched = Study.parse(VARIED)
    point = {"streams": 3, "recipe.optimizer.name": "sgd", "recipe.optimizer.momentum": 0.6}
    recipe = searched.recipe_of(point | {"recipe.learning_rate": 0.002})
    assert (recipe.learning_rate, recipe.optimizer.name, recipe.optimizer.momentum) == (
        *(0.002, "sgd", 0.6),
    )
    assert recipe.batch == load_recipe("demo").batch
    assert searched.network(point).streams == 3


def test_a_field_under_a_condition_varies_only_where_it_holds():
    dimensions = Study.parse(VARIED).dimensions
    point = {"streams": 2, "recipe.optimizer.momentum": 0.5, "recipe.learning_rate": 0.002}
    adam, sgd = ({**point, "recipe.optimizer.name": name} for name in ("adam", "sgd"))
    assert "recipe.optimizer.momentum" not in dimensions.active(adam)
    assert dimensions.active(sgd).keys() == set(dimensions.named)


@pytest.mark.parametrize(
    ("old", "new", "fact"),
    [
        (
            "recipe.learning_rate: {low: 0.001, high: 0.01, log: true}",
            "recipe.learning_rate: {low: @0, high: 0.01}",
            "space.recipe.learning_rate.low: 0 is not more than 0",
        ),
        (
            "recipe.learning_rate: {low: 0.001, high: 0.01, log: true}",
            "recipe.rate: @[1]",
            f"space.recipe.rate: {unknown('recipe field', 'rate', Recipe.model_fields)}",
        ),
        (
            "optimizer.name: sgd",
            "optimizer.name: @sdg",
            "space.recipe.optimizer.momentum.when.recipe.optimizer.name: 'sdg' is none of its "
            "values; they are adam, sgd",
        ),
        (
            "when: {recipe.optimizer.name: sgd}",
            "when: {topology: @unet}",
            "space.recipe.optimizer.momentum.when.topology: unknown varying field 'topology'",
        ),
        (
            "when: {recipe.optimizer.name: sgd}",
            "when: {recipe.learning_rate: @0.01}",
            "space.recipe.optimizer.momentum.when.recipe.learning_rate: recipe.learning_rate "
            "stands below recipe.optimizer.momentum, which depends on it; put it above",
        ),
        (
            "when: {recipe.optimizer.name: sgd}}",
            "when: {recipe.optimizer.name: @[]}}",
            "space.recipe.optimizer.momentum.when.recipe.optimizer.name: 0 values; at least 1",
        ),
        (
            "streams: [2, 3]",
            "streams: [2, @2]",
            "space.streams.1: 2 is given twice; give it once",
        ),
        ("streams: [2, 3]", "streams: @every", "space.streams: every stands for topologies alone"),
        (
            "streams: [2, 3]",
            "streams: [2, 3]\n  topology: @every",
            "space.topology: every is of one grid, but streams, columns or specs vary; fix them",
        ),
        ("recipe: demo", "recipe: demo\nseeds: @[]", "seeds: 0 values; at least 1"),
        ("recipe: demo", "recipe: demo\nseeds: @0", f"seeds: 0 seeds train nothing; {SEEDS}"),
        ("recipe: demo", "recipe: demo\nseeds: @101", "seeds: 101 values; 100 at most"),
        ("recipe: demo", "recipe: demo\nseeds: [0, @-1]", "seeds.1: -1 is less than 0"),
        (
            "recipe: demo",
            "recipe: demo\nseeds: [0, 3, @0]",
            "seeds.2: 0 is given twice; give it once",
        ),
        (
            "recipe: demo",
            "recipe: demo\nbaselines: [unet, @unet]",
            "baselines.1: unet is given twice; give it once",
        ),
        (
            "recipe: demo",
            "recipe: demo\nspecs: [unet-2015, @unet-2015]",
            "specs.1: unet-2015 is given twice; give it once",
        ),
        (
            "streams: [2, 3]",
            "specs: @[unet-2015]",
            "space.specs: specs vary under specs, beside space; move them there",
        ),
        (
            "streams: [2, 3]",
            "recipe.extends: @[demo, modern]",
            "space.recipe.extends: unknown recipe field 'extends'; known: augmentation, batch",
        ),
        (
            "optimizer.name: sgd",
            "optimizer.name: @null",
            "space.recipe.optimizer.momentum.when.recipe.optimizer.name: null is none of its "
            "values; they are adam, sgd",
        ),
        (
            "streams: [2, 3]",
            "streams: [2, 3]\n  recipe.flip: {low: @0, high: 1}",
            "space.recipe.flip.low: 0 is neither true nor false",
        ),
        (
            "recipe: demo",
            "recipe: demo\nstop: {hours: @.nan}",
            "stop.hours: '.nan' is not a number",
        ),
        ("recipe: demo", "recipe: demo\ntrial_timeout: @0", "trial_timeout: 0 is not more than 0"),
        ("recipe: demo", "recipe: demo\nbaselines: @unet", "baselines: 'unet' is not a list"),
        ("recipe: demo", "recipe: demo\nconfirm: @true", "confirm: true has no fields; write"),
        ("recipe: demo", "recipe: demo\nfold: @6/5", "fold: '6/5' is not K/N with K from 1 to N"),
        (
            "recipe: demo",
            "recipe: demo\nmatch: @{parameters: 500k, macs: 1G}",
            "match: 2 costs to meet; give one of",
        ),
        ("recipe: demo", "recipe: demo\nbaselines: [@vnet]", "baselines.0: unknown baseline"),
        ("recipe: demo", "recipe: demo\nspecs: [@hrnett]", "specs.0: unknown spec file or"),
        ("recipe: demo", "recipe: demo\nmatch: @{}", "match: 0 costs to meet; give one of"),
        ("recipe: demo", "recipe: demo\nstop: {@never: 1}", "stop.never: unknown field 'never'"),
        ("recipe: demo", "recipe: demo\nconfirm: {top: @0}", "confirm.top: 0 is less than 1"),
    ],
)
def test_a_bad_part_of_the_language_is_shown_at_its_place(old, new, fact):
    text = VARIED.replace(old, new)
    before = text.split("@")[0]
    number, column = before.count("\n") + 1, len(before) - before.rfind("\n") - 1
    assert refused(text).startswith(f"s.yaml:{number}:{column + 1}: {fact}")


def test_seeds_are_a_number_or_a_list():
    assert study(seeds=3).seeds == (0, 1, 2)
    assert study(seeds=[4, 2]).seeds == (4, 2)


def test_paths_go_out_from_the_studys_file(tmp_path, monkeypatch):
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "mine.yaml").write_text(dump(load_recipe("demo").but(batch=3)))
    (folder / "net.yaml").write_text("streams: 2\ncolumns: 1+1\nbase_channels: 4\nclasses: 3\n")
    (folder / "s.yaml").write_text("data: data\nrecipe: mine.yaml\nspecs: [net.yaml, unet-2015]\n")
    (folder / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    found = Study.load("studies/s.yaml")
    assert found.data == "studies/data"
    assert found.training.batch == 3
    assert found.specs == ("studies/net.yaml", "unet-2015")
    assert found.network({"specs": "net"}).streams == 2


def test_published_networks_are_candidates():
    text = "data: shapes\nrecipe: demo\nspecs: [unet-2015, fcn-8s]\nspec: {classes: 3}\n"
    found = Study.parse(text)
    assert [d.name for d in found.dimensions] == ["specs"]
    network = found.network({"specs": "unet-2015"})
    assert (network.title, network.classes) == ("unet-2015", 3)
    assert described({"specs": "unet-2015"}, network).startswith("unet-2015, ")


def test_every_topology_of_a_grid_is_a_value_under_a_short_name():
    text = "data: shapes\nrecipe: demo\nspec: {classes: 3, streams: 3, columns: 2+2,"
    found = Study.parse(text + " base_channels: 4}\nspace: {topology: every}\n")
    names = found.dimensions[0].labels()
    assert len(names) == len(set(names)) == 279
    network = found.network({"topology": names[0]})
    assert described({"topology": names[0]}, network).startswith(f"{names[0]}, 3 streams")
    assert set(network.topology.keep) == {"lateral_0_1", "lateral_0_2", "lateral_0_3"}


def test_a_match_chooses_the_width_of_every_candidate():
    text = "data: shapes\nrecipe: demo\nspec: {classes: 3, streams: 3, columns: 2+2}\n"
    text += "match: {parameters: 100k, within: 15 %}\nspace:\n  topology: [unet, gridnet]\n"
    found = Study.parse(text)
    widths = [found.network({"topology": name}).base_channels for name in ("unet", "gridnet")]
    assert widths[0] > widths[1]
    assert refused(text + "  base_channels: @[4]\n") == located(
        text + "  base_channels: @[4]\n",
        "space.base_channels: varies here, but match chooses it; remove one of the two",
    )


def test_groups_are_for_folds():
    assert study(fold="2/5", group="^(\\w)").group == "^(\\w)"
    with pytest.raises(SpecError, match="group: names are grouped for folds; give fold"):
        study(group="^(\\w)")


def test_a_rule_of_the_recipe_s_own_is_told_at_its_line():
    text = """\
data: shapes
spec: {classes: 3}
space: {streams: [2, 3]}
recipe:
  extends: camvid-small
  epochs: 2
"""
    with pytest.raises(SpecError) as caught:
        Study.parse(text, "mine.yaml")
    first, *shown = str(caught.value).splitlines()
    assert first.startswith("mine.yaml:6:11: recipe.epochs: 2, but schedule.warmup is 2 epochs")
    assert "epochs: 2" in shown[0]


def test_python_values_are_taken_as_yaml_has_them():
    given = GridSpec(streams=2, columns="1+1", base_channels=4, classes=3)
    study = Study(
        data=Path("shapes"),
        recipe="demo",
        spec=given,
        space={"streams": np.arange(2, 4), "base_channels": range(4, 6), "classes": [np.int64(3)]},
    )
    assert study.data == "shapes"
    assert study.spec == given.plain()
    assert study.plain()["space"] == {"streams": [2, 3], "base_channels": [4, 5], "classes": [3]}
