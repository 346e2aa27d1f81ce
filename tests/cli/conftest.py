"""A folder of inputs to run the program in: a spec, a recipe, a study, a trained run, an image."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from cli.samples import RECIPE, SPEC, STUDY
from gridgen.cli.app import run
from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from gridgen.training import Recipe, train

Program = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A run folder: one short epoch on `shapes`."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(build_grid(GridSpec.parse(SPEC)), "shapes", Recipe.parse(RECIPE), folder=folder)
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """The current directory: mine.yaml, quick.yaml, study.yaml, image.png."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(SPEC)
    (tmp_path / "quick.yaml").write_text(RECIPE)
    (tmp_path / "study.yaml").write_text(STUDY)
    Image.new("RGB", (20, 16), "red").save(tmp_path / "image.png")
    return tmp_path


@pytest.fixture
def with_run(place, trained) -> Path:
    """The same, with the run folder `run`."""
    shutil.copytree(trained, place / "run")
    return place


@pytest.fixture
def gridgen(place, capsys) -> Program:
    """The program, run in that directory: its exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def shipped(place) -> Path:
    """The current directory, with the repository's specs/."""
    shutil.copytree(Path(__file__).parents[2] / "specs", place / "specs")
    return place
