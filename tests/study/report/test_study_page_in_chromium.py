"""The page of a search as a reader uses it: clicks and keys in headless Chromium, two widths."""

from dataclasses import replace

import pytest

from gridgen.study.report.page import write_page
from gridgen.study.report.result import Result
from tests.study.report.browser import Browser, opened, program
from tests.study.report.made import ASKED, candidate, record, study, training

pytestmark = pytest.mark.skipif(program() is None, reason="no Chromium is installed")
WIDTHS = (1280, 400)
OPEN = "document.getElementById('panel').open"
TITLE = "document.getElementById('panel-title').textContent"
VISIBLE = "document.getElementById('panel').checkVisibility()"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_page(Result(tmp_path_factory.mktemp("page"), ASKED, tuple(study())))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(params=WIDTHS)
def page(request, browser, path) -> Browser:
    browser.open(path, request.param)
    return browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_no_wider_than_the_window(browser, path, width, scheme):
    browser.open(path, width, scheme=scheme)
    assert browser.ask("document.documentElement.scrollWidth") <= width
    browser.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert browser.ask("document.documentElement.scrollWidth") <= width


def test_long_names_make_it_no_wider(browser, tmp_path):
    name = "x" * 150
    made = replace(candidate(streams=2), name=name, recipe={name: name})
    ended = replace(training(0, 0.5), folder=name, reason=name)
    records = [
        record(0, (0.4, 0.5), "baseline", made=replace(made, params={})),
        record(1, (0.5, 0.6), made=made, known=name),
        record(2, state="failed", made=made, trainings=[ended], reason=name),
    ]
    asked = replace(ASKED, title=name, data=name, objective=f"val_iou.{name}", stopped=name)
    asked = replace(asked, about=[("sampler", name)], refused={name: 3}, commands=[("go on", name)])
    browser.open(write_page(Result(tmp_path, asked, tuple(records))), 400)
    browser.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert browser.ask("document.documentElement.scrollWidth") <= 400
    browser.click(".trials a")
    browser.until(OPEN)
    assert browser.ask("(e => e.scrollWidth <= e.clientWidth)(document.getElementById('panel'))")


@pytest.mark.parametrize("number", [1, 4, 7, 21])
def test_a_click_on_a_point_opens_its_trial(page, number):
    page.click(f".plot a[href='#trial-{number}'] .reach")
    page.until(OPEN)
    assert page.ask(VISIBLE)
    name = next(each for each in study() if each.number == number).candidate.name
    assert page.ask(TITLE) == f"Trial {number}: {name}"
    assert "gridgen build" in page.ask("document.getElementById('panel').innerText")
    wide = "(e => e.scrollWidth <= e.clientWidth)(document.getElementById('panel'))"
    assert page.ask(wide)


def test_keys_open_turn_and_close_the_panel(page):
    page.ask("document.querySelector(\".plot a[href='#trial-2']\").focus()")
    page.press("Enter")
    page.until(OPEN)
    assert page.ask(TITLE).startswith("Trial 2: ")
    page.press("ArrowRight")
    assert page.ask(TITLE).startswith("Trial 3: ")
    page.press("ArrowLeft")
    assert page.ask(TITLE).startswith("Trial 2: ")
    page.press("Escape")
    page.until(f"!{OPEN}")
    assert page.ask("document.activeElement.getAttribute('href')") == "#trial-2"


def test_the_panel_is_closed_by_its_button(page):
    page.click(".trials a")
    page.until(OPEN)
    page.click("#panel [data-close]")
    page.until(f"!{OPEN}")


def test_the_cost_is_switched(page):
    drawn = "[...document.querySelectorAll('.choice')].filter(e => e.checkVisibility()).length"
    title = (
        "[...document.querySelectorAll('.choice')].find(e => e.checkVisibility())"
        ".querySelector('figcaption').textContent"
    )
    assert (page.ask(drawn), page.ask(title)) == (1, "val_iou against parameters")
    page.click("label[for='cost-training_memory']")
    assert (page.ask(drawn), page.ask(title)) == (1, "val_iou against training memory")


def test_no_point_lies_on_the_word_budget(page):
    covered = (
        "(plot => { const word = plot.querySelector('.of-limit').getBoundingClientRect();"
        "return [...plot.querySelectorAll('.point > :last-child')].filter(each => {"
        "const at = each.getBoundingClientRect(); return at.top < word.bottom"
        " && at.right > word.left && at.left < word.right; }).length })"
        "(document.querySelector('.choice'))"
    )
    assert page.ask(covered) == 0


def test_without_the_script_a_link_leads_to_the_trial(browser, path):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(path, 400)
        assert not browser.ask("typeof trials !== 'undefined'")
        browser.click(".trials a[href='#trial-5']")
        browser.until("location.hash === '#trial-5'")
        assert browser.ask("document.querySelector('#trial-5 summary').checkVisibility()")
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_nothing_is_fetched_and_no_script_fails(page):
    assert (
        page.ask(
            "performance.getEntriesByType('resource').filter("
            "each => !each.name.startsWith('data:')).length"
        )
        == 0
    )
