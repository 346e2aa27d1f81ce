"""Recipes, what they extend, and the learning rate over a training."""

import math
from itertools import pairwise

import pytest

from gridgen.errors import SpecError, unknown
from gridgen.spec.document import dump
from gridgen.study import Study
from gridgen.training import RECIPES, Recipe, load_recipe
from gridgen.training.inference import INFERENCES
from gridgen.training.recipe import TrainingStep, changed_recipe
from gridgen.training.recipe.losses import LOSSES, Focal
from gridgen.training.recipe.sections import OPTIMIZERS, SCHEDULES, Poly, Sgd

PER_EPOCH = 750


def step(step: int, epochs: int = 1900, per_epoch: int = PER_EPOCH) -> TrainingStep:
    return TrainingStep(step, per_epoch, epochs)


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_recipe_loads_and_survives_being_written(name):
    recipe = load_recipe(name)
    assert Recipe.parse(dump(recipe)) == recipe


@pytest.mark.parametrize(
    ("iteration", "expected"),
    [(0, 0.01), (599_999, 0.0025), (600_000, 0.00025), (1_424_999, 1.23e-4)],
)
def test_the_papers_learning_rate_decays_by_iteration_and_drops_at_epoch_800(iteration, expected):
    rate = load_recipe("paper").rate(step(iteration))
    assert f"{rate:.3g}" == f"{expected:.3g}"


def test_the_papers_recipe_is_section_4():
    recipe = load_recipe("paper")
    assert recipe.complete() == {
        "epochs": 1900,
        "batch": 4,
        "learning_rate": 0.01,
        "optimizer": {"name": "adam", "betas": [0.9, 0.999], "epsilon": 1e-8},
        "schedule": {
            "name": "torch7",
            "decay": 5e-6,
            "drops": [{"epoch": 800, "learning_rate": 0.001}],
        },
        "label_smoothing": 0.0,
        "class_weights": "none",
        "class_weight_cap": 50.0,
        "crop": {"smallest": 400, "largest": 1024, "size": 400},
        "flip": True,
        "precision": "fp32",
        "channels_last": True,
        "compile": False,
        "recompute": "none",
        "freeze": [],
        "inference": {
            "scales": [1.0],
            "flip": False,
            "weighting": "uniform",
            "batch": 1,
            "precision": "fp32",
        },
        "validate_every": 1,
        "checkpoint_minutes": 10.0,
        "workers": "auto",
    }


@pytest.mark.parametrize("schedule", ["poly", "cosine"])
def test_a_warmed_schedule_rises_in_equal_steps_and_falls_to_the_last(schedule):
    text = f"extends: paper\nschedule: {{name: {schedule}, warmup: 2}}\n"
    recipe = Recipe.parse(text)
    rates = [recipe.rate(TrainingStep(step, 10, 8)) for step in range(80)]
    rises = [after - before for before, after in pairwise(rates[:21])]
    assert rises == pytest.approx([0.01 / 21] * 20)
    assert max(rates) == rates[20] == 0.01
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert 0 < rates[-1] < 0.01 / 20


def test_cosine_is_half_way_down_in_the_middle_and_ends_above_its_floor():
    recipe = Recipe.parse("extends: paper\nschedule: {name: cosine, floor: 0.1}\n")
    assert recipe.rate(TrainingStep(50, 10, 10)) == pytest.approx(0.01 * 0.55)
    last = 0.1 + 0.9 * (1 + math.cos(math.pi * 0.99)) / 2
    assert recipe.rate(TrainingStep(99, 10, 10)) == pytest.approx(0.01 * last)


def test_poly_is_deeplabs():
    recipe = Recipe.parse("extends: paper\nschedule: poly\n")
    assert recipe.rate(TrainingStep(25, 10, 10)) == pytest.approx(0.01 * 0.75**0.9)


FOCAL = "extends: paper\nloss: {name: focal, gamma: 3}\n"


def test_a_field_of_the_only_loss_is_changed_and_the_others_stay():
    changed = changed_recipe(Recipe.parse(FOCAL), {"loss.weight": 2.0})
    assert [each.plain() for each in changed.loss] == [
        {"name": "focal", "weight": 2.0, "gamma": 3.0}
    ]
    assert changed_recipe(changed, {"loss.gamma": 1.0}).loss[0].weight == 2.0
    assert changed_recipe(changed, {"loss.name": "dice"}).loss[0].name == "dice"


def test_a_field_of_several_losses_is_refused(tmp_path):
    (tmp_path / "base.yaml").write_text("extends: paper\nloss: [dice, focal]\n")
    with pytest.raises(SpecError, match="there are 2 above; write the whole list"):
        changed_recipe(load_recipe(tmp_path / "base.yaml"), {"loss.weight": 2.0})
    (tmp_path / "own.yaml").write_text("extends: base.yaml\nloss: {weight: 2}\n")
    with pytest.raises(SpecError, match=r"own.yaml:2:7: loss: there are 2 above; write the"):
        load_recipe(tmp_path / "own.yaml")


@pytest.mark.parametrize(
    ("above", "own", "wanted"),
    [
        ("inference: windows", "inference: {flip: true}", ("inference", "window", 512)),
        ("optimizer: {name: adamw, weight_decay: 0.5}", "optimizer: adamw",
         ("optimizer", "weight_decay", 0.5)),
        ("schedule: {name: cosine, warmup: 3}", "schedule: cosine", ("schedule", "warmup", 3)),
        ("loss: [{name: focal, gamma: 3}]", "loss: {weight: 2}", ("loss", "gamma", 3)),
    ],
)  # fmt: skip
def test_what_is_a_name_alone_or_a_list_of_one_is_a_section_too(tmp_path, above, own, wanted):
    (tmp_path / "base.yaml").write_text(f"extends: paper\n{above}\n")
    (tmp_path / "own.yaml").write_text(f"extends: base.yaml\n{own}\n")
    field, inner, value = wanted
    section = getattr(load_recipe(tmp_path / "own.yaml"), field)
    assert getattr(section[0] if field == "loss" else section, inner) == value


def test_a_file_extends_one_beside_it_which_extends_another(tmp_path, monkeypatch):
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "base.yaml").write_text("extends: modern\nbatch: 8\nepochs: 40\n")
    own = "extends: base.yaml\nepochs: 30\noptimizer: {weight_decay: 0.5}\n"
    (tmp_path / "house" / "mine.yaml").write_text(own)
    monkeypatch.chdir(tmp_path)
    recipe = load_recipe("house/mine.yaml")
    assert (recipe.epochs, recipe.batch, recipe.ema) == (30, 8, load_recipe("modern").ema)
    assert recipe.optimizer.complete() == {
        **load_recipe("modern").optimizer.complete(),
        "weight_decay": 0.5,
    }
    assert "extends" not in dump(recipe)


def test_another_kind_of_section_begins_afresh():
    recipe = Recipe.parse("extends: modern\noptimizer: sgd\nschedule: {name: poly, power: 2}\n")
    assert recipe.optimizer.complete() == {
        "name": "sgd",
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 1e-4,
    }
    assert recipe.schedule.complete() == {"name": "poly", "power": 2.0, "warmup": 0.0}


def test_a_null_takes_away_what_is_extended():
    recipe = Recipe.parse("extends: modern\nema: null\naugmentation: null\n")
    assert (recipe.ema, recipe.augmentation) == (None, None)


def test_recipes_that_extend_each_other_are_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(SpecError) as caught:
        load_recipe(tmp_path / "a.yaml")
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    said = f"{a}:1:10: extends: {b} extends {a} extends {b}: a circle; break it"
    assert str(caught.value).splitlines()[0] == said


def test_a_circle_is_found_however_its_paths_are_written(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.yaml").write_text("extends: ../d/b.yaml\n")
    (tmp_path / "d" / "b.yaml").write_text("extends: ../d/a.yaml\n")
    with pytest.raises(SpecError, match="a circle; break it"):
        load_recipe(tmp_path / "d" / "a.yaml")


def test_a_file_that_is_not_there_is_no_misspelt_name():
    with pytest.raises(SpecError) as caught:
        load_recipe("mine/papr.yaml")
    assert str(caught.value) == "mine/papr.yaml: no such file"


def test_a_misspelt_recipe_gets_the_nearest_known_one():
    with pytest.raises(SpecError) as caught:
        load_recipe("papr")
    assert str(caught.value) == unknown("recipe or YAML file", "papr", ["paper"])


CROP = "epochs: 1\nbatch: 1\nlearning_rate: 0.1\ncrop: {smallest: 9, largest: 8, size: 8}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            CROP,
            "r.yaml:4:7: crop: smallest 9 is more than largest 8\n"
            "     4 | crop: {smallest: 9, largest: 8, size: 8}\n"
            "       |       ^",
        ),
        (
            "extends: papr\n",
            (
                f"r.yaml:1:10: extends: {unknown('recipe or YAML file', 'papr', ['paper'])}"
                "\n     1 | extends: papr\n       |          ^"
            ),
        ),
        (
            "extends: paper\noptimizer: lion\n",
            "r.yaml:2:12: optimizer: 'lion' is not one of: 'adam', 'adamw', 'sgd'\n"
            "     2 | optimizer: lion\n"
            "       |            ^",
        ),
        (
            "extends: modern\noptimizer: {name: sgd, betas: [0.1, 0.2]}\n",
            (
                "r.yaml:2:24: optimizer.betas: "
                f"{unknown('field', 'betas', ['momentum', 'name', 'nesterov', 'weight_decay'])}\n"
                f"     2 | optimizer: {{name: sgd, betas: [0.1, 0.2]}}\n"
                "       |                        ^"
            ),
        ),
        (
            "extends: modern\nepochs: 2\nschedule: {floor: 0.1}\n",
            "r.yaml:2:9: epochs: 2, but schedule.warmup is 5 epochs; "
            "set schedule: {warmup: 0}, or more epochs\n"
            "     2 | epochs: 2\n"
            "       |         ^",
        ),
        (
            "extends: paper\nworkers: many\n",
            "r.yaml:2:10: workers: 'many' is neither a whole number nor auto\n"
            "     2 | workers: many\n"
            "       |          ^",
        ),
    ],
)
def test_what_is_wrong_is_shown_at_its_line(text, said):
    with pytest.raises(SpecError) as caught:
        Recipe.parse(text, "r.yaml")
    assert str(caught.value) == said


BASE = """\
extends: paper

optimizer: {name: sgd, momentum: 7}
epochz: 3
crop: {smallest: 9}
"""


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Two files, one of which extends the other, and a study beside them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "mine.yaml").write_text("# mine\nextends: base.yaml\ncrop: {largest: 5}\n")
    study = "data: shapes\nspec: {classes: 3, columns: 1+1, base_channels: 4}\n"
    study += "space: {streams: [2]}\nrecipe:\n  extends: base.yaml\n  batch: 3\n  epochs: 0\n"
    (tmp_path / "study.yaml").write_text(study)
    return tmp_path


def lines(error):
    """What an error says, without the lines of files that it shows."""
    return [line for line in str(error).splitlines() if line[:1] != " "]


MOMENTUM = "base.yaml:3:34: optimizer.momentum: 7 is not less than 1.0"
EPOCHZ = "base.yaml:4:1: epochz: unknown field 'epochz'; did you mean 'epochs'?"


def test_what_is_wrong_in_a_file_that_is_extended_is_shown_there(house):
    with pytest.raises(SpecError) as caught:
        load_recipe("mine.yaml")
    crop = "mine.yaml:3:7: crop: smallest 9 is more than largest 5"
    assert lines(caught.value) == [MOMENTUM, crop, EPOCHZ]
    assert "     3 | optimizer: {name: sgd, momentum: 7}\n" in str(caught.value)


def test_so_is_what_a_study_extends_and_what_is_its_own_is_shown_in_it(house):
    with pytest.raises(SpecError) as caught:
        Study.load("study.yaml")
    own = "study.yaml:7:11: recipe.epochs: 0 is less than 1"
    assert lines(caught.value) == [own, MOMENTUM, EPOCHZ]


def test_a_study_extends_a_recipe_beside_it(tmp_path, house, monkeypatch):
    (house / "base.yaml").write_text("extends: demo\nbatch: 2\nclip_norm: 3\n")
    text = (house / "study.yaml").read_text("utf-8").replace("epochs: 0", "epochs: 1")
    (house / "study.yaml").write_text(text)
    monkeypatch.chdir("/")
    recipe = Study.load(house / "study.yaml").training
    assert (recipe.batch, recipe.epochs, recipe.clip_norm) == (3, 1, 3.0)


def test_in_python_the_field_at_fault_is_named(house):
    with pytest.raises(SpecError) as caught:
        Recipe(extends="base.yaml", crop={"largest": 400})
    said = ["optimizer.momentum: 7 is not less than 1.0", EPOCHZ.split(": ", 1)[1]]
    assert lines(caught.value) == said


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("batch: 2\nextends: [1]\n", "base.yaml:2:10: extends: name a recipe, or a YAML file"),
        ("extends: x.yaml\n", "base.yaml:1:10: extends: x.yaml: no such file"),
        (
            "batch: 4: 3\n",
            "base.yaml:1:9: a colon where none may be; indent the fields of a section alike, "
            "quote the value, or mend the line before",
        ),
        (
            "extends: demo\nepochs: 3\nschedule: {name: poly, warmup: 5}\ncrop: {smallest: 3}\n",
            "base.yaml:2:9: epochs: 3, but schedule.warmup is 5 epochs; "
            "set schedule: {warmup: 0}, or more epochs",
        ),
    ],
)
def test_a_file_that_cannot_be_extended_is_shown_at_its_own_line(base, said, house):
    (house / "base.yaml").write_text(base)
    with pytest.raises(SpecError) as caught:
        load_recipe("mine.yaml")
    assert lines(caught.value) == [said]


def test_fields_of_a_section_go_over_one_that_is_a_name_alone(house):
    (house / "base.yaml").write_text("extends: demo\noptimizer: sgd\nschedule: poly\nloss: focal\n")
    own = "optimizer: {momentum: 0.5}\nschedule: {power: 2}\nloss: {gamma: 3}\n"
    (house / "mine.yaml").write_text(f"extends: base.yaml\n{own}")
    recipe = load_recipe("mine.yaml")
    assert recipe.optimizer == Sgd(momentum=0.5)
    assert recipe.schedule == Poly(power=2.0)
    assert recipe.loss == (Focal(gamma=3.0),)


def accepted(schema, name):
    """Whether a part of a schema takes this text."""
    parts = schema.get("anyOf", [schema])
    return any(name in part.get("enum", [name]) for part in parts if part.get("type") == "string")


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("optimizer", OPTIMIZERS),
        ("schedule", SCHEDULES),
        ("loss", LOSSES),
        ("inference", INFERENCES),
    ],
)
def test_an_editor_takes_a_name_alone_where_the_reader_does(field, names):
    schema = Recipe.json_schema()["properties"][field]
    for name in names:
        assert getattr(Recipe.parse(f"extends: demo\n{field}: {name}\n"), field) is not None
        assert accepted(schema, name)
    assert not accepted(schema, "lion") or field == "inference"  # which may be a file


def test_an_editor_misses_no_field_of_a_recipe_that_extends_another():
    for schema in (Recipe.json_schema(), Study.json_schema()["$defs"]["Recipe"]):
        assert "required" not in schema
        assert schema["if"] == {"required": ["extends"]}
        assert schema["else"]["required"] == ["epochs", "batch", "learning_rate", "crop"]
        assert schema["else"]["properties"]["crop"]["required"] == ["smallest", "largest", "size"]
    assert "required" not in Recipe.json_schema()["$defs"]["Crop"]


def test_a_section_that_is_given_in_part_is_merged():
    plain, changed = load_recipe("modern"), load_recipe("modern", augmentation={"blur": 0.0})
    assert changed.augmentation == plain.augmentation.but(blur=0.0)
    assert load_recipe("modern", optimizer={"weight_decay": 0.1}).optimizer.name == "adamw"
