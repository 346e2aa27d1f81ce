"""`gridgen report`, and what `gridgen train` says for it."""

import sys

import pytest


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
        ("nothing", "gridgen train -o nothing makes one"),
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
