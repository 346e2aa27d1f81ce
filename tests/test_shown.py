"""Results show themselves as one line in a terminal, and as a table or a picture in a notebook."""

import os
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
import torch

import gridgen
from gridgen import Budget, GridSpec, Setting
from gridgen.shown import Shown, console, escaped_output
from gridgen.study.report.asked import Asked
from gridgen.study.report.result import Result
from gridgen.study.trials import Candidate, Training, TrialRecord
from gridgen.training.inference import WHOLE
from gridgen.training.tasks import Segmentation

SPEC = GridSpec(streams=3, columns="2+2", base_channels=8, classes=4)
TASK = Segmentation(tuple("abcd"), ((0, 0, 0),) * 4)
PIXELS = torch.eye(4, dtype=torch.int64)
SCORE = TASK.score(PIXELS)
CANDIDATE = Candidate(f"gridnet, {SPEC.shape}", {}, SPEC, {}, {"parameters": 127_590}, SPEC.title)
TRIAL = TrialRecord(3, "searched", "finished", CANDIDATE, (Training(0, "finished", 0.5),))
RESULTS = {
    "spec": SPEC,
    "grid": gridgen.prune(SPEC, "unet"),
    "connection": gridgen.build_grid(SPEC).connections[0],
    "count": gridgen.count(SPEC),
    "memory": gridgen.count_memory(SPEC, None, Setting(batch=4)),
    "paths": gridgen.paths(SPEC),
    "relation": gridgen.relate(SPEC, SPEC),
    "difference": gridgen.diff(SPEC, SPEC.but(classes=7)),
    "evaluation": gridgen.Evaluation(
        TASK, "runs/unet-small", "shapes", "val", WHOLE, SCORE, PIXELS, (), SCORE
    ),
    "model": gridgen.Model(Path("net.safetensors"), gridgen.GridNetwork(SPEC), SPEC, TASK),
    "result": Result(Path("runs/study"), Asked("study", "val_iou", "shapes"), (TRIAL,)),
    "feasible": gridgen.feasible(SPEC, {"streams": (2, 3, 4)}, Budget(parameters="100k")),
}


@pytest.mark.parametrize("name", RESULTS)
def test_it_is_one_short_line(name):
    shown = repr(RESULTS[name])
    assert "\n" not in shown
    assert len(shown) < 200
    assert shown.startswith(type(RESULTS[name]).__name__)


@pytest.mark.parametrize("name", [name for name, it in RESULTS.items() if isinstance(it, Shown)])
def test_a_notebook_shows_a_table_of_its_rows(name):
    result = RESULTS[name]
    assert result._repr_html_().count("<tr>") == len(result.rows()) > 0


def test_what_the_lines_say():
    assert repr(SPEC) == "GridSpec(streams=3, columns='2+2', base_channels=8, classes=4)"
    assert repr(RESULTS["grid"]) == (
        "Grid(unet: 3 streams, 2+2 columns, F0 = 8; 11 of 17 connections)"
    )
    assert repr(RESULTS["connection"]) == "Connection(sub_1_0, X(0, 0) to X(1, 0))"
    assert repr(RESULTS["count"]).startswith("Count(parameters 127,590, activations 86,240,000, ")
    assert ", of an image of 400x400, " in repr(RESULTS["count"])
    assert "peak of training" in repr(RESULTS["memory"])
    assert repr(RESULTS["model"]) == (
        "Model(from net.safetensors, segmentation 3 streams, 2+2 columns, F0 = 8)"
    )
    assert repr(RESULTS["evaluation"]).startswith("Evaluation(data shapes, val: 0 images, ")
    assert repr(RESULTS["result"]).startswith("Result(best gridnet, 3 streams, 2+2 columns, ")
    assert repr(RESULTS["feasible"]) == (
        "Feasible(specs 3, feasible 1, different networks 1, beyond parameters 2)"
    )


def test_a_feasible_set_says_how_many_networks_its_specs_are():
    found = gridgen.feasible(SPEC, {"streams": (2, 3), "topology": ("gridnet", None)})
    assert found.rows()[:3] == [("specs", "4"), ("feasible", "4"), ("different networks", "2")]


def test_the_line_of_a_spec_makes_it_again():
    assert eval(repr(SPEC)) == SPEC


def test_a_notebook_shows_the_picture_of_a_grid_unless_it_is_huge():
    assert "<svg" in RESULTS["grid"]._repr_svg_()
    wide = gridgen.build_grid(SPEC.but(columns=["sub", "up"] * 100))
    assert wide._repr_svg_() is None


def test_a_notebook_shows_the_picture_of_a_specs_grid():
    assert SPEC._repr_svg_() == gridgen.build_grid(SPEC)._repr_svg_()
    dead = SPEC.but(topology=gridgen.CustomTopology(keep=["sub_1_0"]))
    assert dead._repr_svg_() is None


def test_without_graphviz_a_notebook_shows_the_line(monkeypatch):
    monkeypatch.setattr("gridgen.render.picture.shutil.which", lambda *_, **__: None)
    for shown in (SPEC, RESULTS["grid"], gridgen.draw(SPEC)):
        assert shown._repr_svg_() is None


def test_a_line_shows_as_many_rows_as_fit():
    class Long(Shown):
        def rows(self):
            return [("row", "x" * 60)] * 3 + [("last", "1")]

    assert repr(Long()) == f"Long(row {'x' * 60}, row {'x' * 60}, 2 more)"


class Named(Shown):
    def rows(self):
        return [("folder", NAME)]


NAME = "a\x1b[31m<b>\u202egnp"


def test_a_name_with_hidden_characters_is_shown_escaped():
    assert repr(Named()) == r"Named(folder a\x1b[31m<b>\u202egnp)"
    assert r"a\x1b[31m&lt;b&gt;\u202egnp" in Named()._repr_html_()


def test_what_is_printed_is_escaped_while_the_program_runs(capsys):
    with escaped_output():
        print(NAME, "\U0001f600 rüben")
        print(NAME, file=sys.stderr)
    print("\x1b")
    told = r"a\x1b[31m<b>\u202egnp"
    assert capsys.readouterr() == (f"{told} \U0001f600 rüben\n\x1b\n", f"{told}\n")


def test_what_an_encoding_lacks_is_escaped_too(monkeypatch):
    raw = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(raw, encoding="latin-1", write_through=True))
    with escaped_output():
        print("rüben \u65e5")
    assert raw.getvalue() == b"r\xfcben \\u65e5" + os.linesep.encode()


def test_bars_keep_their_control_characters(monkeypatch):
    there = StringIO()
    monkeypatch.setattr(sys, "stderr", there)
    with escaped_output():
        assert console().file is there
