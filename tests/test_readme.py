"""Every command of the README runs, in its order, and the demo's training beats the lookup."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gridgen

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
GRIDGEN = Path(sys.executable).parent / "gridgen"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


COMMANDS = [
    line for block in blocks("sh") for line in block.splitlines() if line.startswith("gridgen ")
]


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """A folder in which all commands have been run: their outputs by command."""
    folder = tmp_path_factory.mktemp("tour")
    for name in ("specs", "studies", "docs"):
        shutil.copytree(ROOT / name, folder / name)
    outputs = {}
    for command in COMMANDS:
        done = subprocess.run(
            [GRIDGEN, *command.split()[1:]], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        outputs[command] = done.stdout
    return folder, outputs


@pytest.mark.slow
def test_every_command_runs_and_writes_what_it_says(tour):
    folder, outputs = tour
    written = [
        name.strip()
        for output in outputs.values()
        for line in output.splitlines()
        if line.startswith("wrote ")
        for name in line.removeprefix("wrote ").split(",")
    ]
    assert len(written) >= 12
    assert [name for name in written if not (folder / name).is_file()] == []


@pytest.mark.slow
def test_what_the_readme_says_count_prints_is_what_it_prints(tour):
    _, outputs = tour
    printed = outputs["gridgen count specs/gridnet.yaml --size 400x400"]
    assert printed in README


@pytest.mark.slow
def test_the_demo_beats_the_best_single_pixel_lookup(tour, capsys):
    folder, _ = tour
    command = [GRIDGEN, "evaluate", "runs/nuclei", "--data", "nuclei", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    with capsys.disabled():
        print(
            f"\nnuclei, held-out tiles: network {found['mean_iou']:.4f}, best lookup "
            f"{found['baseline']['mean_iou']:.4f}, margin {found['margin']:+.4f}"
        )
    assert found["margin"] > 0.1


@pytest.mark.slow
def test_the_small_restoration_preset_beats_the_noisy_micrograph_clearly(tour):
    folder, _ = tour
    assert gridgen.evaluate(folder / "runs" / "denoising", "denoising").margin > 9


def test_the_python_of_the_readme_runs_and_prints_what_it_says(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    monkeypatch.chdir(tmp_path)
    code = "".join(blocks("python"))
    exec(code, {})
    said = re.findall(r"^print\(.*# (.*)$", code, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == said
    assert len(said) == 3
    assert (tmp_path / "unet.svg").is_file()


def test_the_specs_of_the_readme_load(tmp_path):
    counted = []
    for text in blocks("yaml"):
        (tmp_path / "spec.yaml").write_text(text)
        grid = gridgen.build_grid(gridgen.load_spec(tmp_path / "spec.yaml"))
        counted.append((gridgen.count(grid).parameters.total, gridgen.count(grid).paths))
    assert counted == [(58_519, 1), (9_647_337, 5)]


def test_the_error_of_the_readme_is_what_is_printed():
    shown = "streams: 5\ncolums: 3+3\nbase_channels: 16\nclasses: 19\n"
    with pytest.raises(gridgen.GridgenError) as caught:
        gridgen.GridSpec.parse(shown, "specs/mine.yaml")
    [first] = [
        line for line in str(caught.value).split("\n") if "colums:" in line and "mine" in line
    ]
    assert first in README


def test_the_recipe_and_the_study_of_the_docs_load():
    text = (ROOT / "docs" / "recipes-and-studies.md").read_text()
    recipe, study = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    gridgen.Recipe.parse(recipe)
    gridgen.Study.parse(study)
