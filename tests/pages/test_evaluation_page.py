"""The page of an evaluation: one file that asks for nothing, and the tables beside it."""

import json
from html.parser import HTMLParser

import pytest
import torch
from jinja2 import UndefinedError
from PIL import Image

from gridgen.emit import GridNetwork, save_network
from gridgen.grid import build_grid
from gridgen.pages import write_evaluation
from gridgen.pages.page import embedded, rendered
from gridgen.spec import GridSpec
from gridgen.training.scoring.evaluation import evaluate
from gridgen.training.scoring.per_image import Gallery

SPEC = GridSpec(streams=2, columns="1+1", base_channels=2, classes=3, size="pad")
NAMES = ["<b>sky</b>", 'road & "lane"', "tree"]


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [v for name, v in attrs if name in ("src", "href", "srcset", "action")]

    def handle_data(self, data):
        self.words.append(data.strip())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The evaluation of a network that nobody trained, on four small images."""
    root = tmp_path_factory.mktemp("pages")
    for kind, mode in (("images", "RGB"), ("labels", "L")):
        (root / "data" / "val" / kind).mkdir(parents=True)
        for number in range(4):
            picture = Image.new(mode, (20 + number, 16), number % 3 if mode == "L" else "red")
            picture.save(root / "data" / "val" / kind / f"<i>{number}.png")
    lines = [f"{i}\t{name}\t{i}\t{i}\t{i}\tclass\n" for i, name in enumerate(NAMES)]
    (root / "data" / "classes.txt").write_text("".join(lines))
    torch.manual_seed(0)
    path = save_network(GridNetwork(build_grid(SPEC)), root / "w.safetensors")
    gallery = Gallery(least=2, most=4)
    found = evaluate(path, str(root / "data"), gallery=gallery, device="cpu")
    write_evaluation(found, gallery, root / "out")
    return root / "out"


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / "index.html").read_text("utf-8"))


def test_everything_is_written(folder):
    assert {path.name for path in folder.iterdir()} == {
        *("index.html", "scores.json", "classes.csv", "images.csv"),
        *("confusion.csv", "confusion.png"),
    }
    assert json.loads((folder / "scores.json").read_text("utf-8"))["images"] == 4


def test_the_page_holds_its_pictures_and_asks_for_nothing(page):
    assert len(page.addresses) == 1 + 4 * 4
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)


def test_names_are_text_whatever_they_hold(page):
    assert "<b>sky</b>" in page.words
    assert 'road & "lane"' in page.words
    assert "<i>0" in page.words
    assert "i" not in page.tags


def test_the_best_are_those_that_are_not_among_the_worst(page):
    assert "The 2 worst images, the worst first" in page.words
    assert "The best of the others, the best first" in page.words
    assert len([word for word in page.words if word.startswith("<i>")]) == 4


def test_small_pictures_are_enlarged_without_blur(folder):
    assert (folder / "index.html").read_text("utf-8").count(' class="exact"') == 16


def test_a_restoration_has_no_classes(tmp_path):
    torch.manual_seed(0)
    spec = SPEC.but(classes=1, in_channels=1)
    about = {"classes": [], "colours": []}
    path = save_network(GridNetwork(build_grid(spec)), tmp_path / "w.safetensors", about=about)
    gallery = Gallery(least=2, most=0)
    found = evaluate(path, "denoising", gallery=gallery, device="cpu")
    written = write_evaluation(found, gallery, tmp_path / "out")
    assert [file.name for file in written] == ["scores.json", "images.csv", "index.html"]
    page = Page((tmp_path / "out" / "index.html").read_text("utf-8"))
    assert {"restored", "error"} <= set(page.words)
    assert not {"table", "prediction"} & set(page.tags + page.words)


def test_pictures_of_three_kinds_are_embedded():
    assert embedded(b"RIFF").startswith("data:image/webp;base64,")
    assert embedded(b"<svg/>").startswith("data:image/svg+xml;base64,")


def test_a_value_that_a_template_misses_is_a_bug_of_ours():
    with pytest.raises(UndefinedError):
        rendered("evaluation", heading="a")
