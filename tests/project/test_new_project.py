"""What comes with gridgen is copied whole, works from the copy, or is not copied at all."""

import os
from pathlib import Path

import pytest

import gridgen
from gridgen.errors import FileError
from gridgen.project import README, new_project
from gridgen.project.shipped import FOLDERS, shipped
from gridgen.study import Study
from gridgen.training import RECIPES, Recipe, open_model

SHIPPED = sorted(shipped())


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "project"
    new_project(folder)
    return folder


def test_a_project_holds_what_is_shipped_and_nothing_else(project):
    files = [path for path in project.rglob("*") if path.is_file()]
    assert sorted(path.relative_to(project).as_posix() for path in files) == SHIPPED
    assert {name.split("/")[0] for name in SHIPPED} == {README, *FOLDERS}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_file_is_copied_whole(name, project):
    assert (project / name).read_bytes() == shipped()[name].read_bytes()


def test_what_is_shipped_can_be_read_from_the_copy(project):
    specs = [gridgen.load_spec(path) for path in project.glob("specs/**/*.yaml")]
    studies = [Study.load(path) for path in project.glob("studies/*.yaml")]
    recipes = {path.stem: Recipe.load(path) for path in project.glob("recipes/*.yaml")}
    models = [open_model(path) for path in project.glob("weights/*.safetensors")]
    assert all((specs, studies, models))
    assert recipes.keys() == RECIPES.keys()


def test_a_folder_may_be_there_and_empty_even_the_current_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert new_project(".")[0] == Path(README)
    # The folder itself stays: a shell may be in it.
    assert os.path.samefile(".", tmp_path)
    assert {path.name for path in Path().iterdir()} == {README, *FOLDERS}


@pytest.mark.parametrize(
    ("folder", "fact"),
    [
        ("used", "used exists already and holds files; name another folder"),
        ("file", "file: a file is in the way"),
        ("file/new", "file: cannot be made: a file is in the way"),
        ("n" * 300, f"{'n' * 300}: cannot be written: File name too long"),
    ],
)
def test_a_place_that_is_taken_is_one_line_and_stays_as_it_is(folder, fact, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("used").mkdir()
    Path("used/mine.yaml").touch()
    Path("file").write_text("mine")
    with pytest.raises(FileError) as caught:
        new_project(folder)
    assert str(caught.value) == fact
    assert sorted(map(str, Path().rglob("*"))) == ["file", "used", "used/mine.yaml"]


@pytest.mark.parametrize("there", [False, True])
def test_a_disk_that_is_full_leaves_nothing(there, tmp_path, monkeypatch):
    folder, real = tmp_path / "project", os.replace
    if there:
        folder.mkdir()

    def full(source, target):
        if Path(target).name == "nuclei.png":
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FileError) as caught:
        new_project(folder)
    assert str(caught.value) == f"{folder}: cannot be written: No space left on device"
    assert list(tmp_path.rglob("*")) == [folder] * there
