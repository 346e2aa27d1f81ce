"""What a search knows of trainings that are over, at another start too: whose they are, in which
order, and that they count once.
"""

from collections import Counter
from contextlib import closing

import pytest
from study.fakes import Scores, failure, rows, study

from gridgen.space import Budget
from gridgen.spec.document import dump
from gridgen.study import search
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.driver.search import Search
from gridgen.study.engine.engine import TrainingOutcome
from gridgen.study.language.requirements import kept
from gridgen.study.looking import study_best
from gridgen.study.report.observer import SearchObserver
from gridgen.study.store import retry_study
from gridgen.study.store.opening import open_store

FOUR = {"streams": [2, 3], "columns": ["1+1"], "base_channels": [4, 8]}
FOUR |= {"topology": ["gridnet", "unet"]}
LARGER = {"streams": [2, 3, 4], "columns": ["1+1", "2+2", "3+3"], "base_channels": [4, 6, 8]}


@pytest.fixture(autouse=True)
def _no_page(monkeypatch):
    monkeypatch.setattr("gridgen.study.driver.writing.write_page", lambda result: None)


def roles(folder) -> Counter[str]:
    return Counter(row["role"] for row in rows(folder))


@pytest.mark.parametrize("baseline", ["unet", "random"])
def test_a_search_that_goes_on_proposes_the_networks_of_baselines_too(baseline, tmp_path):
    asked = study(space=FOUR, budget={}, sampler="grid", baselines=[baseline])
    search(asked, folder=tmp_path, trials=2, evaluate=Scores())
    result = search(asked, folder=tmp_path, trials=50, evaluate=Scores())
    assert roles(tmp_path)["searched"] == 4
    assert result.asked.stopped == "all candidates that meet the budget have been tried"


def short(job) -> float:
    return 0.1 if job.recipe.epochs == 1 else 0.9


AGAIN = study(budget={}, sampler="grid", confirm={"top": 1, "seeds": 2, "recipe": {"epochs": 1}})
PLAIN = study(budget={}, sampler="grid", seeds=3)


def test_trainings_by_another_recipe_are_no_trainings_of_the_candidate(tmp_path):
    search(AGAIN, folder=tmp_path / "again", trials=1, evaluate=short)
    told = [(row["role"], row["scores"]) for row in rows(tmp_path / "again")]
    assert told == [("searched", "0.9"), ("confirmation", "0.1 0.1")]
    scores, table = Scores(0.9, 0.9), tmp_path / "again" / "trials.csv"
    result = search(PLAIN, folder=tmp_path / "plain", trials=1, evaluate=scores, known=table)
    assert [job.seed for job in scores.jobs] == [1, 2]
    assert result.entries[0].scores == (0.9, 0.9, 0.9)


def test_a_confirmation_by_its_own_recipe_is_not_taken_from_a_table(tmp_path):
    search(PLAIN, folder=tmp_path / "plain", trials=1, evaluate=short)
    table = tmp_path / "plain" / "trials.csv"
    result = search(AGAIN, folder=tmp_path / "again", trials=1, evaluate=short, known=table)
    assert [each.scores for each in result.records] == [(0.9,), (0.1, 0.1)]
    # Gone on with, it is not confirmed again.
    again = search(AGAIN, folder=tmp_path / "again", trials=1, evaluate=failure)
    assert len(again.records) == 2


def test_nothing_is_begun_once_the_hours_are_over(tmp_path):
    search(study(budget={}, space=LARGER), folder=tmp_path, trials=6, evaluate=Scores())
    more = {"baselines": ["random"], "confirm": {"top": 3, "seeds": 5}}
    asked, scores = study(budget={}, space=LARGER, stop={"hours": 1e-9}, **more), Scores()
    result = search(asked, folder=tmp_path, trials=20, evaluate=scores)
    assert not scores.jobs
    assert result.asked.stopped == "1e-09 hours are over; searching again goes on"
    later = study(budget={}, space=LARGER, **more)
    search(later, folder=tmp_path, trials=8, evaluate=Scores())
    assert roles(tmp_path) == {"searched": 8, "baseline": 8, "confirmation": 4}


class LastFirst:
    """An engine of two places, in which the training that began last ends first."""

    places = 2

    def __init__(self) -> None:
        self.jobs = []

    def submit(self, job):
        self.jobs.append(job)

    def wait(self):
        job = self.jobs.pop()
        return TrainingOutcome(job, {"val_iou": 0.5 + job.seed / 10}, ((1, 0.5),), 1.0)

    def close(self):
        """Nothing runs on."""


def test_trainings_stand_in_the_order_of_the_seeds_whichever_ends_first(tmp_path, monkeypatch):
    asked = study(seeds=2, budget={})
    with closing(open_store(tmp_path, dump(kept(asked)), {}, wanted="journal")) as store:
        result = Search(asked, tmp_path, store, LastFirst(), SearchObserver(), Drawing(asked)).run(
            2
        )
    assert [each.scores for each in result.records] == [(0.5, 0.6)] * 2
    read = []

    class Opened:
        def __init__(self, folder):
            read.append(folder)

        def __getattr__(self, name):
            raise failure("seen")

    monkeypatch.setattr("gridgen.study.looking.Run.open", Opened)
    with pytest.raises(type(failure()), match="seen"):
        study_best(tmp_path, weights=tmp_path / "w.safetensors")
    assert [each.name for each in read] == ["seed-0"]


def test_a_baseline_that_failed_is_run_again_though_its_network_was_searched(tmp_path):
    asked = study(space=FOUR, budget={}, sampler="grid", baselines=["unet"])
    search(asked, folder=tmp_path, trials=50, evaluate=Scores(failure()))
    assert [row["role"] for row in rows(tmp_path) if row["state"] == "failed"] == ["baseline"]
    assert [(each.number, each.role) for each in retry_study(tmp_path)] == [(0, "baseline")]


def test_under_a_limit_the_best_of_several_objectives_is_the_best_of_all_within(tmp_path):
    def evaluate(job):
        return job.network.base_channels / 10

    space = {"streams": [2], "columns": ["1+1"], "base_channels": [2, 4, 6, 8, 10]}
    fields = {"against": ["parameters"], "confirm": {"top": 2, "seeds": 2}, "sampler": "grid"}
    asked = study(space=space, budget={}, **fields)
    result = search(asked, folder=tmp_path, trials=5, evaluate=evaluate)
    confirmed = {each.of for each in result.records if each.role == "confirmation"}
    # In the order of the space, the widest last; one of those below is confirmed.
    number = max({*range(5)} - confirmed)
    assert any(each < number for each in confirmed)
    most = result.records[number].candidate.costs["parameters"]
    assert study_best(tmp_path, under=Budget(parameters=most)).number == number
