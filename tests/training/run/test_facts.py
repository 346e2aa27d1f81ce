"""run.json: written and read back, or refused in one line that names the field."""

import json
from math import isnan

import pytest
from tiny import SPEC

from gridgen.errors import RunError, SpecError, unknown
from gridgen.training import Recipe
from gridgen.training.run.facts import Facts
from gridgen.training.run.folder import Run
from gridgen.training.tasks import TASKS

FACTS = {
    "data": "streets",
    "seed": 0,
    "device": "cpu",
    "classes": ["sky", "side walk", "tree"],
    "colours": [[0, 0, 0], [1, 1, 1], [2, 2, 2]],
}
RECIPE = Recipe(
    epochs=1, batch=4, learning_rate=0.01, crop={"smallest": 8, "largest": 8, "size": 8}
)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"classes": [], "colours": [], "task": "restoration"},
        {"holdout": "0006R0*", "class_weights": [0.5, 1, 2.0], "white": 4095, "processes": 2},
        {"fold": "2/5"},
        {"command": ["gridgen", "train", "a b"], "torch": "2.13.0", "begun": "2026-01-02"},
    ],
    ids=lambda more: ",".join(more) or "least",
)
def test_what_is_written_is_read(more, tmp_path):
    facts = Facts(**FACTS | more)
    facts.write(tmp_path / "run.json")
    assert Facts.read(tmp_path / "run.json") == facts
    assert json.loads((tmp_path / "run.json").read_text("utf-8")) == FACTS | more


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"classes": 5}, "classes: 5 is not a list"),
        ({"classes": ["sky", 1, "tree"]}, "classes.1: 1 is not a word"),
        ({"classes": ["sky"] * 3}, "classes.1: 'sky' is given twice"),
        ({"classes": ["a", "b", "\x1b[31m"]}, "classes.2: '\\x1b[31m' is not a printable name"),
        ({"classes": ["a", "b", ""]}, "classes.2: '' is not a printable name"),
        ({"colours": [[0, 0, 256]] * 3}, "colours.0.2: 256 is more than 255"),
        ({"colours": [[0, 0]] * 3}, "colours.0: value 3 is missing; add it"),
        ({"colours": [[0, 0, 0]]}, "colours: 1 values, but 3 classes"),
        ({"class_weights": [1.0]}, "class_weights: 1 values, but 3 classes"),
        ({"class_weights": ["a", 1, 1]}, "class_weights.0: 'a' is not a number"),
        ({"colour": []}, f"colour: {unknown('field', 'colour', ['colours'])}"),
        ({"data": 7}, "data: 7 is not a word"),
        ({"task": "segment"}, f"task: {unknown('task', 'segment', TASKS)}"),
        ({"seed": "x"}, "seed: 'x' is not a whole number"),
        ({"seed": -1}, "seed: -1 is less than 0"),
        ({"seed": True}, "seed: true is not a whole number"),
        ({"holdout": 3}, "holdout: 3 is not a word"),
        (
            {"fold": "0/5"},
            "fold: '0/5' is not K/N with K from 1 to N; write 1/5, 2/5 ... 5/5",
        ),
        ({"device": None}, "device: null is not a word"),
        ({"white": 0}, "white: 0 is not more than black, which is 0"),
        ({"command": "gridgen"}, "command: 'gridgen' is not a list"),
        ({"hold_out": "a*"}, f"hold_out: {unknown('field', 'hold_out', ['holdout'])}"),
        ({"cls": 2, "self": 1}, f"cls: {unknown('field', 'cls', Facts.model_fields)}"),
    ],
    ids=str,
)
def test_what_is_wrong_is_one_line(wrong, said, tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(FACTS | wrong))
    with pytest.raises(RunError) as caught:
        Facts.read(path)
    assert str(caught.value) == f"{path}: {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", ":1:2: not JSON; put it back, or train anew"),
        ("[]", ": the file has no fields; train anew"),
        ("\xff", ": not JSON; put it back, or train anew"),
        ("[" * 100_000, ": not JSON; put it back, or train anew"),
        (json.dumps(FACTS | {"data": "\ud800"}), ": data: "),
        (json.dumps(FACTS | {"white": float("nan")}), ": white: nan is not "),
        (json.dumps(FACTS | {"seed": 10**30}), ": seed: 1000000000"),
    ],
    ids=["begun", "list", "bytes", "deep", "surrogate", "nan", "huge"],
)
def test_a_damaged_file_is_one_line(text, said, tmp_path):
    path = tmp_path / "run.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RunError) as caught:
        Facts.read(path)
    assert str(caught.value).startswith(f"{path}{said}")
    assert "\n" not in str(caught.value)


def test_from_python_they_are_refused_too():
    with pytest.raises(SpecError, match="seed: -1 is less than 0"):
        Facts(**FACTS | {"seed": -1})


def test_scores_without_a_column_are_refused(tmp_path):
    run = Run.create(tmp_path / "run", SPEC, RECIPE, Facts(**FACTS))
    path = run.folder / "metrics.csv"
    assert run.rows() == []
    path.write_text(path.read_text("utf-8").replace("val_iou", "iou"))
    with pytest.raises(RunError) as caught:
        run.rows()
    told = "no column val_iou; name it in the first line again"
    assert str(caught.value) == f"{path}: {told}"


def test_scores_without_a_newer_number_are_read_and_gone_on_with(tmp_path):
    run = Run.create(tmp_path / "run", SPEC, RECIPE, Facts(**FACTS))
    path = run.folder / "metrics.csv"
    names = path.read_text("utf-8").strip().replace("val_dice,", "").split(",")
    path.write_text(f"{','.join(names)}\n{','.join('1' for _ in names)}\n")
    assert run.rows() == [dict.fromkeys(names, 1.0)]
    run.write_rows(run.rows())
    assert [name for name, value in run.rows()[0].items() if isnan(value)] == ["val_dice"]


def test_without_a_required_field_it_is_named(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps({name: FACTS[name] for name in FACTS if name != "device"}))
    with pytest.raises(RunError) as caught:
        Facts.read(path)
    assert str(caught.value) == f"{path}: device: this field is missing; add it"
