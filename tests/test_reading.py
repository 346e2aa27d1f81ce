"""Files are read in one way: regular ones only, and no more of them than is allowed."""

import ast
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gridgen import load_network, read_image, read_label
from gridgen.data.folder.classes import read_classes
from gridgen.data.folder.coco import read_coco
from gridgen.data.folder.layout import Layout
from gridgen.data.folder.settings import FolderSettings, read_settings
from gridgen.data.frequencies import _kept
from gridgen.errors import FileError, GridgenError
from gridgen.files import read_bytes, read_text, require_file
from gridgen.images import read_header
from gridgen.memory.device.stored import Calibration
from gridgen.pages.page import embedded_file
from gridgen.spec import GridSpec
from gridgen.study import Study
from gridgen.training import Recipe
from gridgen.training.recipe.extending import source_of
from gridgen.training.run.checkpoint import _verify
from gridgen.training.run.facts import Facts
from gridgen.training.run.locks import lock
from gridgen.training.run.steplog import StepLog
from tests.structure.package import modules

Put = Callable[[Path], None]
NO_FILE = "no file, but a device or a pipe"

OPENERS: dict[str, Callable[[Path], object]] = {
    "mine.yaml": GridSpec.load,
    "recipe.yaml": Recipe.load,
    "named.yaml": source_of,
    "study.yaml": Study.load,
    "torch-2.yaml": Calibration.load,
    "classes.txt": read_classes,
    "dataset.yaml": lambda path: read_settings(path.parent),
    "list.txt": lambda path: listed(path),
    "coco.json": read_coco,
    "image.png": read_image,
    "image.tif": read_header,
    "label.png": read_label,
    "weights.safetensors": load_network,
    "run.json": Facts.read,
}
"""What reads a file of that name."""
WITHOUT: dict[str, Callable[[Path], object]] = {
    "steps.csv": lambda path: StepLog(path).rows() or None,
    "counts.json": lambda path: _kept(path, 2),
    "curve.png": embedded_file,
}
"""What does without the file, and gives None."""


def listed(path: Path) -> object:
    settings = FolderSettings(images="{name}", labels="{name}_label", splits={"train": path.name})
    return Layout.of(path.parent, settings).names("train")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
PUTS = [pytest.param(getattr(os, "mkfifo", None), marks=needs_pipes), device]


@needs_pipes
@pytest.mark.parametrize("put", PUTS)
@pytest.mark.parametrize("name", OPENERS)
def test_what_is_no_file_is_refused_whatever_it_stands_for(name, put, tmp_path):
    put(tmp_path / name)
    with pytest.raises(GridgenError) as caught:
        OPENERS[name](tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: {NO_FILE}")


@needs_pipes
@pytest.mark.parametrize("put", PUTS)
@pytest.mark.parametrize("name", WITHOUT)
def test_what_is_not_needed_is_done_without(name, put, tmp_path):
    put(tmp_path / name)
    assert WITHOUT[name](tmp_path / name) is None


@needs_pipes
@pytest.mark.parametrize("put", PUTS)
def test_a_checkpoint_with_what_is_no_file_is_damaged(put, tmp_path):
    put(tmp_path / "manifest.json")
    with pytest.raises(OSError, match=NO_FILE):
        _verify(tmp_path)


@needs_pipes
def test_a_lock_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / ".lock")
    with pytest.raises(FileError, match=NO_FILE), lock(tmp_path / ".lock", "busy"):
        pass


@pytest.mark.parametrize("name", ["mine.yaml", "classes.txt", "weights.safetensors", "image.png"])
def test_a_folder_is_no_file(name, tmp_path):
    (tmp_path / name).mkdir()
    with pytest.raises(GridgenError, match=f"{name}: .*(a folder|Is a directory)"):
        OPENERS[name](tmp_path / name)


def test_a_file_of_the_allowed_length_is_read_and_one_byte_more_is_not(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"1234")
    assert read_bytes(path, 4) == b"1234"
    with pytest.raises(OSError, match="too long: 4 bytes, and 3 are read at most"):
        read_bytes(path, 3)


def test_a_text_with_holes_that_are_larger_than_memory_is_refused(tmp_path):
    path = tmp_path / "classes.txt"
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(GridgenError, match=r"classes.txt: too long: 1,099,511,627,776 bytes, and"):
        read_classes(path)


def test_weights_may_be_as_long_as_memory(tmp_path, monkeypatch):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"x" * 100)
    monkeypatch.setattr("gridgen.emit.weights.host_memory", lambda: 99)
    with pytest.raises(GridgenError, match="too long: 100 bytes, and 99 are read at most"):
        load_network(path)


def test_a_link_to_a_file_is_a_file(tmp_path):
    (tmp_path / "a.txt").write_text("ü\r\n", "utf-8", newline="")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")
    assert read_text(tmp_path / "b.txt") == "ü\r\n"
    assert require_file(tmp_path / "b.txt") == 4


EXCEPTIONS = {
    "files.py": "the one place",
    "__init__.py": "the package's own list of names, before anything of it is imported",
    "training/recipe/extending.py": "the package's own recipes",
    "memory/host.py": "files of the kernel, whose size is said to be 0",
    "training/loop/measurement.py": "a file of the kernel",
    "training/scoring/official_script.py": "run without the package; it reads what that wrote",
    "emit/weights.py": "safetensors opens what require_file let pass",
    "layouts/converting.py": "torch and safetensors open what require_file let pass",
    "study/engine/carrying.py": "an archive in memory",
    "export/int8.py": "what onnxruntime has just written for it",
    "images/files.py": "opens what require_file let pass",
    "images/pillow_formats.py": "opened after images/files.py",
    "images/tiff_pages.py": "opened after images/files.py",
    "images/tiff.py": "opened after images/files.py",
    "study/store/journal.py": "opens what require_file let pass, read line by line",
    "study/engine/fork_server.py": "the channel to the driver",
}
"""Modules that open files for reading themselves, and why."""
DECODERS = ("read_text", "read_bytes", "safe_open", "load_file", "TiffFile", "fromfile", "memmap")
MODULES = ("torch", "np", "numpy")


def readers(tree: ast.AST) -> Iterator[int]:
    """The lines at which a file is opened to be read."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        inside_memory = arguments and ast.unparse(arguments[0]).startswith("BytesIO(")
        match node.func:
            case ast.Name("open"):
                mode = ast.literal_eval(arguments[1]) if len(arguments) > 1 else "r"
                reads = not set(mode) & set("wax")
            case ast.Attribute(ast.Name(owner), "open"):
                reads = owner not in ("Run", "os") and not inside_memory
            case ast.Attribute(_, "open"):
                reads = True
            case ast.Attribute(ast.Name(owner), "load"):
                reads = owner in MODULES
            case ast.Attribute(_, name):
                reads = name in DECODERS
            case ast.Name(name):
                # Our own read_text and read_bytes are called by their names alone.
                reads = name in DECODERS[2:]
            case _:
                reads = False
        if reads:
            yield node.lineno


def test_nothing_else_opens_a_file_to_read_it():
    found = {path: list(readers(tree)) for path, tree in modules().items()}
    assert {path for path, lines in found.items() if lines} == EXCEPTIONS.keys()


@pytest.mark.parametrize(
    "text",
    [
        "Path(a).read_text('utf-8')",
        "open(a)",
        "open(a, 'rb')",
        "open(a, mode='r')",
        "path.open()",
        "Path(a).open('rb')",
        "Image.open(a)",
        "np.load(a)",
        "torch.load(a)",
        "safe_open(a)",
        "np.fromfile(a)",
    ],
)
def test_a_place_that_reads_is_found(text):
    assert list(readers(ast.parse(text))) == [1]


@pytest.mark.parametrize(
    "text", ["open(a, 'w')", "Run.open(a)", "Image.open(BytesIO(a))", "read_text(a)", "os.open(a)"]
)
def test_other_calls_are_none(text):
    assert list(readers(ast.parse(text))) == []
