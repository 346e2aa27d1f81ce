"""The Python in docs/ runs and prints what its comments say."""

import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

import gridgen
from gridgen.cli.app import COMMANDS
from gridgen.cli.data import app as data
from gridgen.cli.supernet import app as supernet

DOCS = Path(__file__).parents[1] / "docs"
TAKING_AWAY = (DOCS / "taking-away.md").read_text("utf-8")
BLOCKS = [
    pytest.param(block, id=f"{page.name}:{number}")
    for page in sorted(DOCS.glob("*.md"))
    for number, block in enumerate(
        re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    )
]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.usefixtures("tables")
def test_a_block_of_python_runs_and_prints_what_it_says(block, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # A module that can be imported, as a script or a notebook is: other processes look there for
    # the classes of what they are sent.
    module = ModuleType("docs_block")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(block, "docs", "exec"), module.__dict__)
    said = re.findall(r"^print\(.*# (.*)$", block, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == said


def test_every_command_is_a_function_that_is_exported():
    page = (DOCS / "python.md").read_text("utf-8")
    rows = re.findall(r"^\| (`gridgen .*?) \| (.*) \|$", page, re.MULTILINE)
    told = {name for row, _ in rows for name in re.findall(r"`gridgen ([a-z ]+)`", row)}
    groups = {"data": data, "supernet": supernet}
    inside = {f"{name} {c.name}" for name, app in groups.items() for c in app.registered_commands}
    assert told == {*COMMANDS, *inside}
    for _, functions in rows:
        names = {name.split(".")[0] for name in re.findall(r"`(\w+[\w.]*)`", functions)}
        assert names <= {*gridgen.__all__}


def test_the_page_of_all_fields_is_current(rewrite):
    module = runpy.run_path(str(DOCS / "fields.py"))
    if rewrite:
        module["PAGE"].write_text(module["page"](), "utf-8")
    assert module["PAGE"].read_text("utf-8") == module["page"]()


@pytest.mark.parametrize(
    "row",
    [
        "| `crop.size` | whole number from 8 to 16384 | required |",
        "| `topology.keep` | a list: text or `null` | `null` |",
        "| `schedule.drops.epoch` of torch7 | whole number from 0 | required |",
        "| `loss.gamma` of focal | number from 0 to 10 | `2.0` |",
        "| `units.lateral` | `bottleneck`, `residual`, `separable` | `residual` |",
        "| `confirm.top` | whole number from 1 to 100 | `3` |",
    ],
)
def test_the_page_of_all_fields_has_those_of_sections_and_lists(row):
    page = (DOCS / "fields.md").read_text("utf-8")
    assert sum(line.startswith(row) for line in page.splitlines()) == 1


@pytest.mark.slow
def test_what_is_taken_away_runs_as_its_page_says(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    blocks = re.findall(r"```\n((?:from|import) .*?)```", TAKING_AWAY, re.DOTALL)
    network = gridgen.GridNetwork(gridgen.build_grid(gridgen.load_spec("specs/nuclei.yaml")))
    weights = tmp_path / "weights.safetensors"
    gridgen.save_network(network, weights)
    for ending in ("py", "onnx", "pt2"):
        gridgen.export_network(gridgen.open_model(weights), tmp_path / f"nuclei.{ending}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    answers = []
    for block in blocks:
        names = {"images": torch.rand(1, 1, 480, 360)}
        exec(compile(block, "taking-away", "exec"), names)
        answers.append(tuple(names.get("answer", names.get("prediction")).shape))
    assert answers == [(1, 3, 480, 360)] * 3


def test_there_is_python_in_the_docs():
    assert BLOCKS


def test_a_unit_of_ones_own_is_known_to_every_command(tmp_path):
    block = re.search(
        r"```python\n(.*?)```", (DOCS / "extending.md").read_text("utf-8"), re.DOTALL
    )[1]
    (tmp_path / "mine.py").write_text(block)
    spec = "streams: 2\ncolumns: 1+1\nbase_channels: 8\nclasses: 3\nunits: {lateral: dilated}\n"
    (tmp_path / "spec.yaml").write_text(spec)
    outputs = [
        subprocess.run(
            [sys.executable, "mine.py", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for arguments in (["list", "units"], ["count", "spec.yaml"], ["schema"])
    ]
    assert "lateral: dilated        One 3x3 convolution of dilation 2" in outputs[0]
    assert "parameters" in outputs[1]
    assert '"dilated"' in outputs[2]
