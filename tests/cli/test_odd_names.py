"""Names with any characters, from the folder to the report."""

import sys
import unicodedata

import numpy as np
import pytest
from PIL import Image

from gridgen.names import HIDDEN, escaped

NAMES = [
    *("$\\frac$", "a$b$c", "=1+1", "-5", "@x", "+y", "rüben", "日本", "\U0001f600", "a b"),
    *("a'b\"c", "<b>&amp;", "{name}", "%s%d", "[red]x", "a,b;c", "#hash", "~", "*", "é" * 60),
    *("a\\b", "x\u202egnp", "z\u200bz", "\x1b[31mred", "tab\tname", "cr\rname"),
    b"raw\xff".decode("utf-8", "surrogateescape"),
]
CLASSES = ("$\\frac$", "=cmd 日本")
FOLDERS = ["$\\frac$ $x$", "\x1b[31m\u202ex", "nl\nname", "{b}%?#c"]
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems allow fewer names")


def form(name: str, kind: str) -> str:
    return unicodedata.normalize(kind, name)


def fill(folder, names) -> None:
    """Images with composed names, labels with decomposed ones."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for part, kind, shape in (("images", "NFC", (8, 8, 3)), ("labels", "NFD", (8, 8))):
            (folder / split / part).mkdir(parents=True)
            for name in names:
                pixels = rng.integers(0, len(CLASSES), shape, np.uint8)
                Image.fromarray(pixels).save(folder / split / part / f"{form(name, kind)}.png")
    lines = [f"{i}\t{name}\t{i}\t0\t0\tclass\n" for i, name in enumerate(CLASSES)]
    (folder / "classes.txt").write_text("".join(lines), "utf-8")


@pytest.fixture
def done(place, gridgen):
    """Runs a command that ends well; what it prints."""
    (place / "two.yaml").write_text("streams: 2\ncolumns: 1+1\nbase_channels: 2\nclasses: 2\n")

    def call(*arguments: str) -> str:
        code, out, err = gridgen(*arguments)
        assert code == 0, err
        assert not HIDDEN.search(out + err)
        return out

    return call


@needs_linux
def test_names_of_images_and_classes(place, done):
    fill(place / "data", NAMES)
    assert f"no faults, {2 * len(NAMES)} images" in done("data", "check", "data")
    train = ("train", "two.yaml", "--recipe", "quick.yaml", "--data", "data", "-o", "run")
    done(*train, "--holdout", form("rü*", "NFD"))
    out = done("evaluate", "run", "--data", "data", "-o", "run/scores")
    assert all(name in out for name in CLASSES)
    table = (place / "run" / "scores" / "images.csv").read_text("utf-8")
    for name in ("'=1+1,8", "'@x,8", "'+y,8", "\n-5,8", "raw\\udcff,8", "rüben,8"):
        assert name in table
    done("report", "run")
    done("predict", "run", "data/val/images", "-o", "out")
    page = (place / "run" / "scores" / "index.html").read_text("utf-8")
    assert not HIDDEN.search(page)
    assert len(list((place / "out").glob("*_labels.png"))) == len(NAMES)


@needs_linux
@pytest.mark.parametrize("name", FOLDERS)
def test_names_of_folders(name, place, done):
    fill(place / f"data{name}", ["a"])
    train = ("train", "two.yaml", "--recipe", "quick.yaml", "--data", f"data{name}")
    assert escaped(f"run{name}") in done(*train, "-o", f"run{name}")
    done("evaluate", f"run{name}", "--data", f"data{name}", "-o", f"scores{name}")
    done("report", f"run{name}")


def test_a_folder_that_is_not_utf_8_is_refused_before(place, gridgen):
    folder = place / b"raw\xff".decode("utf-8", "surrogateescape")
    try:
        fill(folder, ["a"])
    except OSError:
        pytest.skip("this file system refuses such names")
    (place / "two.yaml").write_text("streams: 2\ncolumns: 1+1\nbase_channels: 2\nclasses: 2\n")
    train = ("train", "two.yaml", "--recipe", "quick.yaml", "--data", folder.name)
    code, _, err = gridgen(*train, "-o", "run")
    assert code == 2
    assert err.startswith("data: '")
    assert err.endswith(" is not UTF-8; rename it\n")
    assert not (place / "run").exists()
