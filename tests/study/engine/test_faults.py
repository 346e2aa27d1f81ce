"""Whose fault an error is, and what the kernel counts."""

import os

import pytest

from gridgen.errors import (
    DataError,
    DeviceError,
    FileError,
    GridError,
    OutOfMemoryError,
    RunError,
    SpecError,
    TooLargeError,
    TrainingError,
)
from gridgen.study.engine.oom import out_of_memory_kills
from gridgen.study.engine.worker import told_of


def caused(by: Exception) -> TrainingError:
    error = TrainingError("it cannot go on")
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "kind", "name"),
    [
        (SpecError("classes: 2"), "candidate", "SpecError"),
        (GridError("shapes"), "candidate", "GridError"),
        (TrainingError("the loss is nan"), "candidate", "TrainingError"),
        (caused(ValueError("odd")), "candidate", "FileError"),
        (OutOfMemoryError("none left"), "memory", "OutOfMemoryError"),
        (TooLargeError("it needs 900 GB"), "memory", "TooLargeError"),
        (MemoryError(), "memory", "MemoryError"),
        (RunError("another process is training this run"), "environment", "RunError"),
        (DataError("images have vanished"), "environment", "DataError"),
        (DeviceError("no cuda"), "environment", "DeviceError"),
        (FileError("no space"), "environment", "FileError"),
        (OSError(28, os.strerror(28), "a.csv"), "environment", "FileError"),
        (caused(FileError("no space")), "environment", "FileError"),
        (caused(DataError("images have vanished")), "environment", "DataError"),
        (caused(OSError(28, os.strerror(28), "a.csv")), "environment", "FileError"),
    ],
)
def test_whose_fault_an_error_is(error, kind, name):
    told = told_of(error)
    assert told["kind"] == kind
    if kind == "environment":
        assert told["name"] == name
    assert told["error"]


def test_an_error_of_the_system_is_told_in_its_words():
    told = told_of(OSError(28, os.strerror(28), "a.csv"))
    assert told["error"] == "a.csv: No space left on device"


@pytest.mark.parametrize(
    ("groups", "file"),
    [
        ("0::/mine\n", "mine/memory.events"),
        ("0::/mine\n", "memory.events"),
        ("0::/mine\n", "unified/mine/memory.events"),
        ("3:cpu:/x\n2:memory:/mine\n", "memory/mine/memory.oom_control"),
        ("3:cpu:/x\n2:memory:/mine\n", "memory/memory.oom_control"),
    ],
)
def test_kills_for_want_of_memory_are_counted_by_control_groups(groups, file, tmp_path):
    (tmp_path / "groups").write_text(groups)
    counted = tmp_path / "root" / file
    counted.parent.mkdir(parents=True)
    counted.write_text("low 1\noom 5\noom_kill 3\n")
    assert out_of_memory_kills(tmp_path / "groups", tmp_path / "root") == 3


def test_where_nothing_is_counted_nothing_was_killed(tmp_path):
    assert out_of_memory_kills(tmp_path / "groups", tmp_path) == 0
    (tmp_path / "groups").write_text("0::/\n")
    (tmp_path / "memory.events").write_text("low 0\n")
    assert out_of_memory_kills(tmp_path / "groups", tmp_path) == 0
