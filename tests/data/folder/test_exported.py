"""Folders as tools export them, from the export to scores, without an edit by hand."""

import pytest
from exported import EXPORTS

from gridgen.cli.app import run

SPEC = "streams: 2\ncolumns: 1+1\nbase_channels: 2\n"
RECIPE = "epochs: 2\nbatch: 2\nlearning_rate: 0.01\ncrop: {smallest: 16, largest: 16, size: 16}\n"


# Where the tool knows no splits, two of the six images are taken for val, by one way or the other.
@pytest.mark.parametrize(
    ("tool", "channels", "classes", "split", "fold"),
    [
        ("cvat", 3, ("background", "disc", "bar"), (), ()),
        ("coco", 3, ("background", "disc", "bar"), (), ()),
        ("nnunet", 2, ("background", "disc", "bar"), ("--val", "0.33"), ()),
        ("flat", 3, ("class 0", "class 1"), (), ("--fold", "1/3")),
    ],
)
def test_an_export_is_trained_and_scored_without_an_edit(
    tool, channels, classes, split, fold, tmp_path, monkeypatch, capsys
):
    if tool == "coco":
        pytest.importorskip("pycocotools.mask", reason="the extra coco is not installed")
    monkeypatch.setenv("GRIDGEN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    EXPORTS[tool](tmp_path / "export")
    written = SPEC + f"in_channels: {channels}\nclasses: {len(classes)}\n"
    (tmp_path / "spec.yaml").write_text(written, "utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, "utf-8")
    called(capsys, "data", "init", "export")
    if split:
        called(capsys, "data", "split", "export", *split)
    if not fold:
        assert "no faults, 6 images read" in called(capsys, "data", "check", "export")
    called(capsys, "train", "spec.yaml", "--data", "export", "--recipe", "recipe.yaml",
           "-o", "run", *fold)  # fmt: skip
    scores = called(capsys, "evaluate", "run", "--data", "export")
    assert all(name in scores for name in classes)
    assert "2 images" in scores


def called(capsys, *arguments):
    """What a command prints; it must succeed."""
    code = run(list(arguments))
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


def test_every_export_is_tried():
    marks = test_an_export_is_trained_and_scored_without_an_edit.pytestmark
    assert {row[0] for row in marks[0].args[1]} == {*EXPORTS}
