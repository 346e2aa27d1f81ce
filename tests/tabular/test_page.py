"""The page of the benchmark: its tables, its charts, and how it looks on a phone."""

import re
from dataclasses import replace

import pytest

from gridgen.grid import TOPOLOGIES
from gridgen.pages.intervals import Interval, intervals
from gridgen.study.report.entries import cost_title
from gridgen.tabular import TopologyBenchmark, page, ranking
from gridgen.tabular.effects import effects
from gridgen.tabular.page import headline, topologies_page, write_topologies_page
from gridgen.tabular.standings import (
    effect_rows,
    named_topologies,
    predicting_rows,
    searches_rows,
    standing_rows,
    standings,
    sure_rows,
    untried,
)
from gridgen.tabular.table import COSTS
from gridgen.tabular.trainings import SPLITS
from tests.study.report.browser import Browser, program
from tests.tabular.made import EPOCHS, made_up

benchmark = made_up()
few = made_up(most=30)
HEADER = (
    "sampler,pruner,prefilter,encoding,judged_by,digest,searches,trainings,"
    "regret,regret_0,regret_1,found\n"
)
ROW = "tpe,none,none,number,holdout,{},1000,{},{},0.01,0.03,0.25\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """A few resamples alone, and searches that were simulated."""
    monkeypatch.setattr(ranking, "RESAMPLES", 20)
    table = tmp_path / "simulations.csv"
    digests = few.digest, benchmark.digest
    rows = (ROW.format(each, *at) for each in digests for at in ((10, 0.05), (40, 0.02)))
    table.write_text(HEADER + "".join(rows), "utf-8")
    monkeypatch.setattr("gridgen.tabular.standings.SIMULATIONS", table)


def test_the_first_table_tells_the_spread_and_how_far_seeds_agree():
    rows = {title: values for title, *values in sure_rows(benchmark)}
    best = max(benchmark.means("val"))
    assert rows["best topology, mean of its seeds"][0] == f"{best:.3f}"
    assert re.fullmatch(r"0\.\d\d \(0\.\d\d to 0\.\d\d\)", rows["τ of the orders of two seeds"][0])
    apart = float(rows["best less worst, in standard deviations of seeds"][0])
    assert apart == pytest.approx(18, abs=3)


def test_all_named_topologies_stand_in_the_order_of_what_was_held_out():
    known = named_topologies(benchmark)
    assert sorted(known.values()) == sorted(TOPOLOGIES)
    titles, *rows = standing_rows(standings(benchmark, known))
    scores = [float(row[1]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    full = next(row for row in rows if row[0] == "gridnet")
    assert full[titles.index("parameters")] == "129,081"
    # The residual network is the cheapest, so nothing that costs no more can beat it.
    assert next(row for row in rows if row[0] == "resnet")[-1] == "0"


def test_costs_proxies_and_early_scores_are_compared_with_the_last_scores():
    titles = [row[0] for row in predicting_rows(few)[1:]]
    assert titles[: len(COSTS)] == [cost_title(name) for name in COSTS]
    assert {"gradient norm", "synflow", "naswot"} < set(titles)
    assert titles[-1] == f"score of another seed at epoch {EPOCHS[-2]}"


def test_the_headline_says_where_the_full_grid_stands_if_it_is_trained():
    told = headline(benchmark)
    assert re.search(r"\d+ of 279 topologies may be the best", told)
    assert re.search(r"the full grid is number \d+ with 0\.\d{3}, where the scores go from", told)
    assert "full grid" not in headline(few)


def test_connections_that_hang_on_others_are_cut_with_them_and_have_no_pairs():
    titles, *rows = effect_rows({split: effects(benchmark, split) for split in SPLITS})
    found = {row[0]: dict(zip(titles, row, strict=True)) for row in rows}
    assert len(found) == 17
    assert float(found["sub_2_0"]["cut with it"]) > 1
    assert found["sub_2_0"]["pairs"] == found["sub_2_0"]["alone, val"] == ""
    assert found["lateral_0_2"]["pairs"] == "56"
    assert re.fullmatch(r"1\.\d \(\d\.\d to 1\.\d\)", found["lateral_0_2"]["alone, val"])


def test_every_link_of_a_plot_leads_to_its_sketch():
    html = topologies_page(few)
    links = set(re.findall(r'href="#([^"]+)"', html))
    assert links
    assert links <= set(re.findall(r'<figure id="([^"]+)"', html))


def test_the_page_has_every_part():
    html = topologies_page(benchmark)
    for part in ("sub_1_0", "up_0_3", "conv-deconv", "after 40", "tpe", "2.0 (1.0, 3.0)"):
        assert part in html
    assert html.count("<svg") == 4 + len({*named_topologies(benchmark)}) + page.BEST - _both()


def test_searches_of_another_table_are_not_shown():
    assert len(searches_rows(benchmark, "holdout")) == 2
    assert len(searches_rows(made_up(noise=0.02), "holdout")) == 1


def test_third_seeds_change_nothing_of_what_is_compared():
    some = made_up(seeds=3)
    none = TopologyBenchmark(
        tuple(replace(each, trainings=each.trainings[:2]) for each in some.values())
    )
    assert len([*some.trainings]) > len([*none.trainings])
    assert some.digest == none.digest
    assert topologies_page(some) == topologies_page(none)


def _both() -> int:
    """Those that have a name and are among the best too."""
    ranked = sorted(benchmark, key=lambda name: -benchmark[name].mean("holdout"))
    return len({*ranked[: page.BEST]} & {*named_topologies(benchmark)})


def test_intervals_hold_zero_and_stand_in_their_rows():
    drawn = intervals("t", "x", [("a", [Interval(2, 1, 3, "val")]), ("b", [])])
    (mark,) = drawn["rows"][0]["marks"]
    assert drawn["zero"] < mark["low"] < mark["value"] < mark["high"]
    assert drawn["rows"][1]["marks"] == []
    assert drawn["frame"]["top"] < mark["y"] < drawn["frame"]["bottom"] < drawn["height"]


@pytest.mark.slow
@pytest.mark.skipif(program() is None, reason="Chromium is not installed")
def test_the_page_fits_a_phone(tmp_path):
    browser = Browser(tmp_path / "profile")
    try:
        browser.open(write_topologies_page(tmp_path / "page.html", few), 400)
        assert browser.ask("document.documentElement.scrollWidth") <= 400
    finally:
        browser.close()


def test_what_needs_no_search_is_judged_as_searches_are():
    benchmark = made_up(noise=0.05)
    judge = benchmark.array("holdout")[:, :, -1]
    full = judge.max(axis=0) - judge[[*benchmark].index(benchmark.of(benchmark.spec).name)]
    found = untried(benchmark, "holdout")["the full grid"]
    # A search that is told seed 0 is judged by seed 1.
    assert found.by_seed == (full[1], full[0])
    assert found.mean == pytest.approx(full.mean())
