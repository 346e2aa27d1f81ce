"""What comes with gridgen is copied whole, works from the copy, or is not copied at all."""

import os
from pathlib import Path
from shutil import copytree

import pytest

import gridgen
from gridgen.errors import FileError
from gridgen.project import README, comes_along, new_project
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
        ("a\0b", "a\0b: cannot be written: embedded null byte"),
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


def test_a_folder_that_was_there_stays_empty_where_it_cannot_be_filled(tmp_path, monkeypatch):
    real = os.rename

    def refused(source, target):
        if Path(target) == tmp_path / "specs":
            raise OSError(5, "Input/output error")
        real(source, target)

    monkeypatch.setattr(os, "rename", refused)
    with pytest.raises(FileError) as caught:
        new_project(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be written: Input/output error"
    assert list(tmp_path.iterdir()) == []


def test_what_editors_and_killed_writers_leave_does_not_come_along(project, tmp_path, monkeypatch):
    here = tmp_path / "gridgen" / "project"
    copytree(project, here)
    monkeypatch.setattr("gridgen.project.shipped.HERE", here)
    assert sorted(shipped()) == SHIPPED
    (here / "specs/.checkpoints").mkdir()
    for name in (".mine.yaml", ".checkpoints/mine.yaml", "mine.yaml~", "mine.yaml.swp"):
        (here / "specs" / name).touch()
    assert sorted(shipped()) == SHIPPED


def test_without_what_comes_along_no_file_is_said_to_and_none_is_copied(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gridgen.project.shipped.HERE", tmp_path / "gridgen" / "project")
    assert not comes_along("specs/gridnet.yaml")
    with pytest.raises(FileError) as caught:
        new_project("mine")
    assert str(caught.value) == (
        "this gridgen has no specs; install its wheel, or a clone with pip install -e"
    )
    assert not any(tmp_path.iterdir())
