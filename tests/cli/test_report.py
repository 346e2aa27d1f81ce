"""`gridgen report`, and what `gridgen train` says for it."""

import sys

import pytest

from gridgen import search


def test_it_writes_a_page_into_the_run(with_run, gridgen):
    assert gridgen("report", "run") == (0, "wrote  run/report.html\n", "")
    assert "<h1>run: gridnet on shapes</h1>" in (with_run / "run" / "report.html").read_text(
        "utf-8"
    )


def test_it_writes_where_it_is_told(with_run, gridgen):
    assert gridgen("report", "run", "-o", "pages/a.html") == (0, "wrote  pages/a.html\n", "")
    assert not (with_run / "run" / "report.html").exists()


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("nothing", "gridgen train (or supernet) -o nothing makes one"),
        ("mine.yaml", "name one that train made"),
        (".", "name one that train made"),
    ],
)
def test_what_is_no_run_is_one_line(name, fix, with_run, gridgen):
    told = f"{name}: no run there (no run.json); {fix}\n"
    assert gridgen("report", name) == (2, "", told)


def test_a_run_has_a_page_while_another_process_trains_it(with_run, gridgen):
    from gridgen.training import Run

    with Run.open("run").locked():
        assert gridgen("report", "run")[0] == 0


@pytest.fixture
def searched(place):
    """A search that trained nothing and stopped before its end."""
    from tests.study.fakes import Scores, study

    with pytest.raises(KeyboardInterrupt):
        search(study(), folder="found", evaluate=Scores(None, None, KeyboardInterrupt()))
    return place / "found"


def test_a_search_has_the_page_that_it_wrote_itself(searched, gridgen):
    page = searched / "report.html"
    written = page.read_text("utf-8")
    page.unlink()
    assert gridgen("report", "found") == (0, "wrote  found/report.html\n", "")
    assert page.read_text("utf-8") == written
    assert "1 of its trials is not over. It stopped: KeyboardInterrupt" in written


def test_a_search_that_was_killed_has_a_page_too(searched, gridgen):
    for left in ("report.html", "end.json"):
        (searched / left).unlink()
    assert gridgen("report", "found", "-o", "a.html") == (0, "wrote  a.html\n", "")
    assert "Trial 0: " in (searched.parent / "a.html").read_text("utf-8")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"stopped": 1, "refused": 2}'])
def test_what_is_kept_of_the_end_may_be_damaged(text, searched, gridgen):
    (searched / "end.json").write_text(text, "utf-8")
    assert gridgen("report", "found")[0] == 0


def test_a_study_without_its_database_is_one_line(searched, gridgen):
    (searched / "study.db").unlink()
    code, out, err = gridgen("report", "found")
    assert (code, out) == (2, "")
    assert err.startswith("found: no study there; ")


TRAIN = ("train", "mine.yaml", "--data", "shapes", "--recipe", "quick.yaml", "-o", "new")


def test_training_goes_to_tensorboard_too(place, gridgen):
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    code, out, _ = gridgen(*TRAIN, "--tensorboard")
    assert code == 0
    assert "next      gridgen evaluate new --data shapes\n          gridgen report new\n" in out
    assert len(list((place / "new" / "tensorboard").glob("events.out.tfevents.*"))) == 1
    assert gridgen("train", "--resume", "new", "--tensorboard")[0] == 0


def test_without_the_extra_nothing_is_written(place, gridgen, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    told = "TensorBoard is not installed; pip install 'gridgen[tensorboard]'\n"
    assert gridgen(*TRAIN, "--tensorboard") == (2, "", told)
    assert not (place / "new").exists()
