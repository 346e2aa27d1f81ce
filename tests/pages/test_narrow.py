"""Pages on a phone, 400 pixels wide: no name or number is broken, nothing lies outside."""

from dataclasses import replace

import pytest
import torch

from gridgen import GridNetwork, evaluate, load_recipe, train, write_report
from gridgen.grid import build_grid
from gridgen.pages import write_evaluation
from gridgen.spec import GridSpec
from gridgen.training.run.model import Model
from gridgen.training.scoring.per_image import Gallery
from gridgen.training.tasks import Segmentation
from tests.study.report.browser import Browser, program

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(program() is None, reason="Chromium is not installed"),
]
SPEC = GridSpec(streams=3, columns="2+2", base_channels=8, classes=3, size="pad")
NAMES = ("pedestrian", "pavement", "bicyclist")
WIDTH = 400
BROKEN = """[...document.querySelectorAll('td, dd')].filter(cell => {
  const text = cell.textContent.trim(), range = document.createRange();
  if (!text || /\\s/.test(text) || text.length > 16) return false;
  range.selectNodeContents(cell.lastChild);
  return range.getClientRects().length > 1;
}).map(cell => cell.textContent)"""
"""Cells of one short word or number that need several lines."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


def test_an_evaluation(browser, tmp_path):
    torch.manual_seed(0)
    network, gallery = GridNetwork(build_grid(SPEC)).eval(), Gallery(1)
    shapes = Segmentation(("background", "larger", "smaller"), ((0, 0, 0), (9, 9, 9), (99, 9, 9)))
    model = Model(tmp_path / "a.safetensors", network, SPEC, shapes, "shapes")
    scored = evaluate(model, "shapes", "val", gallery=gallery)
    named = replace(scored, task=Segmentation(NAMES, shapes.colours))
    write_evaluation(named, gallery, tmp_path / "page")
    require_whole(browser, tmp_path / "page" / "index.html")


def test_a_training(browser, tmp_path):
    run = train(SPEC, "shapes", load_recipe("demo", epochs=1), folder=tmp_path / "run")
    require_whole(browser, write_report(run))


def require_whole(browser, page):
    browser.open(page, WIDTH)
    assert browser.ask("document.documentElement.scrollWidth") <= WIDTH
    assert browser.ask(BROKEN) == []
