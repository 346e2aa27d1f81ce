"""`gridgen topologies`."""

import json


def test_it_writes_the_page_and_says_who_stands_where(gridgen, tmp_path):
    page = tmp_path / "page.html"
    code, out, err = gridgen("topologies", "-o", str(page))
    assert (code, err) == (0, "")
    assert "held out per GMAC" in out
    assert out.splitlines()[-1] == f"wrote  {page}"
    assert "<svg" in page.read_text("utf-8")


def test_json_is_the_same_as_fields(gridgen, tmp_path):
    code, out, _ = gridgen("topologies", "-o", str(tmp_path / "page.html"), "--json")
    told = json.loads(out)
    assert code == 0
    assert told["page"].endswith("page.html")
    (full,) = (each for each in told["topologies"] if each["topology"] == "gridnet")
    assert f"number {full['holdout_rank']} with {full['holdout']:.3f}" in told["headline"]
    assert full["val_rank"] != full["holdout_rank"]
    assert full["parameters"] == 129081


def test_a_page_is_html(gridgen):
    code, _, err = gridgen("topologies", "-o", "page.pdf")
    assert code == 2
    assert ".html" in err


def test_a_page_may_end_in_capitals(gridgen, tmp_path):
    assert gridgen("topologies", "-o", str(tmp_path / "page.HTML"))[0] == 0
