"""Every command of the README runs, in its order, where nothing but the wheel is installed; and the
demo's training beats the lookup.
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from installed import Environment, build_wheel, install

import gridgen

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PROJECT = (ROOT / "gridgen" / "project" / "README.md").read_text("utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands(text: str) -> list[str]:
    lines = (line for block in blocks("sh", text) for line in block.splitlines())
    return [line for line in lines if line.startswith(("gridgen ", "cd "))]


@dataclass(frozen=True)
class Tour:
    """All commands have been run: what they printed, what they wrote, the last current folder."""

    environment: Environment
    outputs: dict[str, str]
    wrote: list[Path]
    folder: Path


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tour")
    environment = install(build_wheel(folder / "dist"), folder / "environment")
    outputs, wrote = {}, []
    for command in commands(README):
        if command.startswith("cd "):
            folder /= command.removeprefix("cd ")
            continue
        outputs[command] = environment.run(*command.split(), cwd=folder)
        lines = [line for line in outputs[command].splitlines() if line.startswith("wrote ")]
        names = ",".join(line.removeprefix("wrote ") for line in lines).split(",")
        wrote += [folder / name.strip() for name in names if name]
    return Tour(environment, outputs, wrote, folder)


@pytest.mark.slow
def test_every_command_runs_and_writes_what_it_says(tour):
    assert len(tour.wrote) >= 12
    assert [path for path in tour.wrote if not path.is_file()] == []


@pytest.mark.slow
def test_the_tour_sees_neither_the_clone_nor_tools_of_development(tour):
    code = """
import gridgen, importlib.util, sys
print(gridgen.__file__, *sys.path, sep="\\n")
print(*filter(importlib.util.find_spec, ["pytest", "mypy", "hypothesis", "hatchling"]))
"""
    file, *path, tools = tour.environment.run("python", "-c", code, cwd=tour.folder).split("\n")[
        :-1
    ]
    assert Path(file).is_relative_to(tour.environment.folder)
    assert [place for place in path if Path(place).is_relative_to(ROOT)] == []
    assert tools == ""


def test_the_readme_of_a_new_project_has_commands_of_the_tour_only():
    assert set(commands(PROJECT)) <= set(commands(README))
    assert len(commands(PROJECT)) > 5


@pytest.mark.slow
def test_what_the_readme_says_count_prints_is_what_it_prints(tour):
    printed = tour.outputs["gridgen count specs/gridnet.yaml --size 400x400"]
    assert printed in README


@pytest.mark.slow
def test_the_demo_beats_the_best_single_pixel_lookup(tour, capsys):
    command = "gridgen evaluate runs/nuclei --data nuclei --json"
    found = json.loads(tour.environment.run(*command.split(), cwd=tour.folder))
    with capsys.disabled():
        print(
            f"\nnuclei, held-out tiles: network {found['mean_iou']:.4f}, best lookup "
            f"{found['baseline']['mean_iou']:.4f}, margin {found['margin']:+.4f}"
        )
    assert found["margin"] > 0.1


@pytest.mark.slow
def test_the_small_restoration_preset_beats_the_noisy_micrograph_clearly(tour):
    assert gridgen.evaluate(tour.folder / "runs" / "denoising", "denoising").margin > 9


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
    text = (ROOT / "docs" / "recipes-and-studies.md").read_text("utf-8")
    recipe, study = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    gridgen.Recipe.parse(recipe)
    gridgen.Study.parse(study)
