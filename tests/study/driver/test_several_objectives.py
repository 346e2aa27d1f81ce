"""Searches whose score is held against costs: the front, its pruning, what is kept of it."""

from contextlib import closing
from math import exp, inf, log
from random import Random

import numpy as np
import pytest
from study.fakes import Scores, no_training, rows, study

from gridgen import study_best
from gridgen.errors import RunError, SpecError
from gridgen.space import Budget
from gridgen.study import search
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.driver.phases import since_the_best
from gridgen.study.driver.simulating import simulated
from gridgen.study.fronts import front_of, hypervolume
from gridgen.study.proposals.proposals import Proposals
from gridgen.study.report.answer import best_ones
from gridgen.study.report.tradeoffs import volumes
from gridgen.study.store import read_store, repair_study
from gridgen.study.store.standing import study_trials

WIDE = study(
    space={"streams": [2, 3, 4], "columns": ["1+1", "2+2", "3+3"], "base_channels": [2, 4, 6, 8]},
    budget={},
    against=["macs"],
)


@pytest.fixture(autouse=True)
def _no_page(monkeypatch):
    monkeypatch.setattr("gridgen.study.driver.writing.write_page", lambda result: None)


def test_names_alone_have_the_direction_in_which_they_are_better():
    listed = study(against=["macs", "receptive_field", "val_iou.circle"])
    ways = {"macs": "minimize", "receptive_field": "maximize", "val_iou.circle": "maximize"}
    assert listed.against == ways
    assert study(against="macs").against == {"macs": "minimize"}
    assert study(against={"receptive_field": "minimize"}).against == {"receptive_field": "minimize"}
    assert next(iter(listed.objectives.items())) == ("val_iou", "maximize")


@pytest.mark.parametrize(
    ("against", "told"),
    [
        (["mac"], "did you mean 'macs'"),
        (["val_iou"], "this is the objective itself"),
        (["macs", "macs"], "macs is named twice"),
        ({"macs": "less"}, "minimize"),
        ([3], "against"),
    ],
)
def test_what_cannot_be_held_against_is_refused_with_its_place(against, told):
    with pytest.raises(SpecError, match="against") as caught:
        study(against=against)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_objective_of_a_candidate_is_counted_and_stored_in_its_direction(tmp_path):
    asked = study(against=["macs", "inference_memory", "receptive_field"], trials=2)
    search(asked, folder=tmp_path, evaluate=Scores())
    with closing(read_store(tmp_path)) as store:
        stored = store.optuna
        ways = [each.name for each in stored.directions]
        assert ways == ["MAXIMIZE", "MINIMIZE", "MINIMIZE", "MAXIMIZE"]
        for record, trial in zip(store.trials(), stored.trials, strict=True):
            costs = record.candidate.costs
            names = ("macs", "inference_memory", "receptive_field")
            assert trial.values == [record.score, *(costs[name] for name in names)]
    titles = rows(tmp_path)[0]
    assert {"inference_memory", "receptive_field"} <= titles.keys()


def test_the_front_holds_what_no_other_candidate_beats(tmp_path):
    # By `size`, more of anything scores more, but only streams and channels by much.
    result = search(WIDE, folder=tmp_path, trials=36, evaluate=Scores())
    front = result.answer.front
    own = [(each.score, -each.candidate.costs["macs"]) for each in result.entries]
    assert {each.number for each in front} == {result.entries[n].number for n in front_of(own)}
    assert 1 < len(front) < 36
    assert result.as_json()["front"] == [each.number for each in front]
    assert [each.score for each in front] == sorted((e.score for e in front), reverse=True)
    assert result.answer.headline.startswith(f"{len(front)} candidates are beaten by no other in")
    assert len(result.table()) == len(front) + 1


def test_a_search_that_was_ended_goes_on_with_the_same_candidates(tmp_path):
    once, twice = tmp_path / "once", tmp_path / "twice"
    asked = WIDE.but(sampler="nsga2")
    search(asked, folder=once, trials=24, evaluate=Scores())
    search(asked, folder=twice, trials=9, evaluate=Scores())
    search(asked, folder=twice, trials=24, evaluate=Scores())
    keys = [[each.candidate.key for each in study_trials(each)] for each in (once, twice)]
    assert keys[0] == keys[1]
    search(asked, folder=once, trials=24, evaluate=no_training)


def test_another_cost_is_another_study(tmp_path):
    search(WIDE, folder=tmp_path, trials=1, evaluate=Scores())
    with pytest.raises(RunError, match="against is"):
        search(WIDE.but(against=["parameters"]), folder=tmp_path, trials=2, evaluate=Scores())


def test_another_order_of_the_costs_is_another_study(tmp_path):
    """The values of trials are stored in this order."""
    search(WIDE.but(against=["macs", "parameters"]), folder=tmp_path, trials=1, evaluate=Scores())
    swapped = WIDE.but(against=["parameters", "macs"])
    with pytest.raises(RunError, match="against is"):
        search(swapped, folder=tmp_path, trials=2, evaluate=Scores())
    assert len(study_trials(tmp_path)) == 1


def test_what_is_equal_for_all_takes_nothing_from_the_volume(tmp_path):
    asked = WIDE.but(against=["macs", "receptive_field"], spec={"classes": 3, "norm": "instance"})
    result = search(asked, folder=tmp_path, trials=8, evaluate=Scores())
    found = volumes(result.entries, asked.objectives)
    assert 0 < found[-1] <= 1


def test_costs_under_a_limit_are_those_of_the_candidates_own_recipe(tmp_path):
    asked = study(
        space={"recipe.batch": [1, 32], "base_channels": [4, 8]},
        spec={"classes": 3, "streams": 2, "columns": "1+1"},
        against=["training_memory"],
        budget={},
    )
    result = search(asked, folder=tmp_path, trials=4, evaluate=Scores())
    least = min(e.candidate.costs["training_memory"] for e in result.entries)
    found = study_best(tmp_path, under=Budget(training_memory=least))
    assert found.candidate.costs["training_memory"] == least
    assert found.candidate.recipe == {"batch": 1}


@pytest.mark.parametrize("storage", ["sqlite", "journal"])
def test_a_repaired_study_has_its_objectives(storage, tmp_path):
    search(WIDE, folder=tmp_path, trials=3, evaluate=Scores(), storage=storage)
    before = study_trials(tmp_path)
    file = tmp_path / ("study.db" if storage == "sqlite" else "study.journal")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 3 // 4])
    repair_study(tmp_path)
    after = study_trials(tmp_path)
    assert all(new in before for new in after)
    search(WIDE, folder=tmp_path, trials=4, evaluate=Scores())


def test_values_that_were_changed_are_noticed(tmp_path):
    search(WIDE, folder=tmp_path, trials=2, evaluate=Scores())
    import sqlite3

    with closing(sqlite3.connect(tmp_path / "study.db")) as database, database:
        database.execute("UPDATE trial_values SET value = value + 1 WHERE objective = 1")
    with pytest.raises(RunError, match="damaged: trial 0"):
        study_trials(tmp_path)


def test_a_further_score_that_a_training_does_not_give_fails_it(tmp_path):
    asked = WIDE.but(against=["macs", "val_iou.circle"])
    given = {"val_iou": 0.5, "val_iou.circle": 0.25}
    scored = search(asked, folder=tmp_path / "given", trials=2, evaluate=lambda job: given)
    assert [each.value("val_iou.circle") for each in scored.entries] == [0.25, 0.25]
    search(asked.but(stop={"begun": 1}), folder=tmp_path / "not", evaluate=Scores())
    (row,) = rows(tmp_path / "not")
    assert row["state"] == "failed"
    assert "no val_iou.circle among its scores" in row["note"]


def test_a_table_has_no_further_scores(tmp_path):
    search(WIDE, folder=tmp_path / "one", trials=2, evaluate=Scores())
    table = tmp_path / "one" / "trials.csv"
    known = search(WIDE, folder=tmp_path / "two", trials=2, evaluate=no_training, known=table)
    assert len(known.answer.front) >= 1
    asked = WIDE.but(against=["macs", "val_iou.circle"])
    with pytest.raises(SpecError, match="has scores by val_iou alone"):
        search(asked, folder=tmp_path / "three", evaluate=no_training, known=table)


def test_confirmations_are_of_the_highest_score_and_of_what_beats_most_beside_it(tmp_path):
    asked = WIDE.but(confirm={"top": 2, "seeds": 2})
    search(asked, folder=tmp_path, trials=36, evaluate=Scores())
    records = study_trials(tmp_path)
    again = {each.of for each in records if each.role == "confirmation"}
    done = [each for each in records if each.role == "searched"]
    first, second = best_ones(done, asked.objectives, 2)
    assert again == {first.number, second.number}
    assert first.score == max(each.score for each in done)
    pairs = {each.number: volumes([first, each, *done], asked.objectives)[1] for each in done}
    assert pairs[second.number] == max(pairs.values())


def test_a_candidate_that_costs_less_is_progress_whatever_its_score(tmp_path):
    search(WIDE, folder=tmp_path, trials=12, evaluate=Scores())
    records = study_trials(tmp_path)
    costs = [each.candidate.costs["macs"] for each in records]
    ordered = [records[place] for place in np.argsort(costs)[::-1]]
    assert since_the_best(ordered, WIDE.objectives) == 0
    assert since_the_best(ordered[::-1], {"val_iou": "maximize"}) < 12


def test_best_under_a_limit_is_the_best_within(tmp_path):
    result = search(WIDE, folder=tmp_path, trials=36, evaluate=Scores())
    limit = 40_000
    within = [e for e in result.entries if e.candidate.costs["parameters"] <= limit]
    assert len(within) < len(result.entries)
    assert study_best(tmp_path, under=Budget(parameters=limit)).number == within[0].number
    with pytest.raises(RunError, match="none of 36 candidates is within; the smallest: "):
        study_best(tmp_path, under=Budget(parameters=3))


def curve(score: float, epochs: int = 16) -> dict[int, float]:
    """Validations that rise towards a score."""
    return {epoch: score * (1 - exp(-epoch / 3)) for epoch in range(1, epochs + 1)}


def test_the_median_is_that_of_candidates_as_cheap():
    """The cheapest of all is never below the median of those that cost no more."""
    asked = WIDE.but(
        pruner="median", sampler="random", recipe={"extends": "demo", "epochs": 16}, seed=3
    )

    def worse_where_cheap(candidate):
        return curve(log(candidate.costs["macs"]) / 40)

    ended = [
        each.record for each in simulated(Proposals(asked, Drawing(asked)), 36, worse_where_cheap)
    ]
    assert {each.state for each in ended} == {"finished"}
    alone = asked.but(against={})
    ended = [
        each.record for each in simulated(Proposals(alone, Drawing(alone)), 36, worse_where_cheap)
    ]
    assert [each.state for each in ended].count("pruned") > 5


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
@pytest.mark.parametrize(
    ("fields", "begun", "most"),
    # By eight seeds: halving 0.53 and 0.52, prefilter 0.25 and 0.26.
    [({"pruner": "halving"}, 160, 0.65), ({"prefilter": "costs"}, 40, 0.4)],
    ids=["halving", "prefilter"],
)
def test_the_front_of_300_curves_is_found_in_fewer_steps(fields, begun, most, sampler):
    asked = study(
        space={
            "streams": [2, 3, 4],
            "columns": ["1+1", "2+2", "3+3", "4+4", "5+5"],
            "base_channels": {"low": 2, "high": 40, "step": 2},
        },
        budget={},
        against=["macs"],
        recipe={"extends": "demo", "epochs": 16},
        sampler=sampler,
    )
    drawing, qualities = Drawing(asked), dict[str, float]()

    def scored(candidate):
        luck = qualities.setdefault(candidate.key, Random(candidate.key).random())
        return curve(log(candidate.costs["macs"]) / 40 + luck / 4)

    shares = []
    for seed in range(5):
        plain, quicker = (
            [each for each in simulated(Proposals(chosen, drawing), many, scored) if done(each)]
            for chosen, many in (
                (asked.but(seed=seed), 40),
                (asked.but(seed=seed, **fields), begun),
            )
        )
        goal = volume_of([each.record for each in plain])
        reached = (
            each.epochs
            for many, each in enumerate(quicker, start=1)
            if volume_of([one.record for one in quicker[:many]]) >= goal
        )
        shares.append(next(reached, inf) / plain[-1].epochs)
    assert np.median(shares) <= most


def done(trial) -> bool:
    return trial.record.state == "finished"


def volume_of(records) -> float:
    points = [(each.score, -log(each.candidate.costs["macs"])) for each in records]
    return hypervolume(points, (0.0, -log(1e11)))
