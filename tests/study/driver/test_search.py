"""Searches whose candidates are not trained: what is asked for, told, kept, and gone on with."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest
import torch
from folders import lay
from study.engine.processes import wait_for
from study.fakes import Scores, failure, no_training, rows, size, states, study

from gridgen.analysis import count
from gridgen.cli.app import run
from gridgen.emit import GridNetwork
from gridgen.errors import (
    FileError,
    Interrupted,
    OutOfMemoryError,
    RunError,
    SpecError,
    TrainingError,
    UsageError,
    unknown,
)
from gridgen.grid import build_grid
from gridgen.names import csv_text
from gridgen.space import Budget
from gridgen.spec import GridSpec
from gridgen.study import SAMPLERS, Study, search
from gridgen.study.driver import search as driver
from gridgen.study.engine.engine import FunctionEngine, Pruned
from gridgen.study.report.observer import SearchObserver
from gridgen.study.store import storages

WIDE = study(
    space={"streams": [2, 3, 4], "columns": ["1+1", "2+2", "3+3"], "base_channels": [2, 4, 6, 8]},
    budget={},
)
"""36 candidates, all of them allowed."""

PAPER = {"streams": 5, "columns": "3+3", "classes": 19}
"""With F0 = 16: 13,181,097 parameters, of which the paper's formula sees 10,027,008."""

NEAREST = "gridnet, 2 streams, 1+1 columns, F0 = 4"


def test_trials_counts_what_is_trained_and_nothing_else_becomes_a_trial(tmp_path):
    scores = Scores()
    result = search(study(sampler="random"), folder=tmp_path, trials=3, evaluate=scores)
    assert len(scores.numbers) == len(result.entries) == 3
    assert states(tmp_path) == ["finished"] * 3
    assert result.numbers["refused"] > 0


def test_no_module_is_built_and_no_grid_that_is_over_budget_is_trained(tmp_path, monkeypatch):
    def explode(self, grid):
        raise AssertionError(f"{grid.spec} is built")

    monkeypatch.setattr(GridNetwork, "__init__", explode)
    scores = Scores()
    search(study(trials=8), folder=tmp_path, evaluate=scores)
    assert len(scores.jobs) == 4
    assert all(count(job.grid).parameters.total <= 20_000 for job in scores.jobs)


@pytest.mark.parametrize(
    ("quantity", "limit"), [("parameters", 12_393), ("activations", 909_312), ("macs", 19_501_056)]
)
def test_every_trained_candidate_meets_the_budget_exactly(quantity, limit, tmp_path):
    """Each limit is what one of the eight candidates costs, so the limit itself is allowed."""
    budget = {quantity: limit, "size": [64, 64]}
    scores = Scores()
    search(study(budget=budget), folder=tmp_path, trials=8, evaluate=scores)
    costs = [getattr(count(job.grid, (64, 64)), quantity).total for job in scores.jobs]
    assert max(costs) == limit
    assert len(costs) == len(set(costs))
    assert [int(row[quantity]) for row in rows(tmp_path)] == costs


def test_all_broken_limits_are_counted_apart(tmp_path):
    two = {"streams": [3], "columns": ["2+2"], "base_channels": [1, 8]}
    budget = {"parameters": "10k", "activations": "1M", "macs": "1GMAC", "size": [64, 64]}
    searched = study(space=two, budget=budget, sampler="grid")
    result = search(searched, folder=tmp_path, trials=2, evaluate=Scores())
    assert len(result.entries) == 1


def test_what_needs_too_much_memory_is_not_trained(tmp_path):
    two = {"streams": [2], "columns": ["1+1"], "base_channels": [2, 4]}
    spec = GridSpec(streams=2, columns="1+1", base_channels=2, classes=3)
    terms = {"size": (64, 64), "batch": 30}
    least = Budget(training_memory="1MB", **terms).cost(build_grid(spec))["training_memory"]
    budget = {"training_memory": least, **terms}
    result = search(study(space=two, budget=budget), folder=tmp_path, trials=2, evaluate=Scores())
    assert [entry.candidate.network.base_channels for entry in result.entries] == [2]
    assert result.entries[0].candidate.costs["training_memory"] == least


@pytest.mark.parametrize(
    ("bound", "limit", "trained"),
    [
        ("paper", 10_027_008, 1),
        ("paper", 10_027_007, 0),
        ("exact", 10_027_008, 0),
        ("exact", 13_181_097, 1),
        ("exact", 13_181_096, 0),
    ],
)
def test_the_papers_bound_lets_a_network_pass_that_is_a_quarter_larger(
    bound, limit, trained, tmp_path
):
    searched = study(
        spec=PAPER,
        space={"base_channels": [16]},
        budget={"parameters": limit, "bound": bound},
    )
    if trained:
        result = search(searched, folder=tmp_path, trials=1, evaluate=Scores())
        costs = result.entries[0].candidate.costs
        assert costs["parameters"] == 13_181_097
        assert costs.get("paper_parameters", 10_027_008) == 10_027_008
        return
    with pytest.raises(SpecError) as caught:
        search(searched, folder=tmp_path, trials=1, evaluate=no_training)
    cost = {"paper": "10,027,008", "exact": "13,181,097"}[bound]
    assert f": {cost} parameters are more than {limit:,} (" in str(caught.value)


def test_a_network_is_trained_once_whatever_its_topology_is_called(tmp_path):
    space = {"streams": [2], "columns": ["1+1"], "base_channels": [2, 4]}
    twins = study(space=space | {"topology": ["gridnet", "unet"]})
    scores, heard = Scores(), Heard()
    result = search(twins, folder=tmp_path, trials=5, evaluate=scores, watch=heard)
    assert sorted(job.network.base_channels for job in scores.jobs) == [2, 4]
    assert len(result.entries) == 2
    assert heard.lines[-1] == ("finished", "all candidates that meet the budget have been tried")


def test_one_network_is_trained_again_by_another_recipe(tmp_path):
    space = {"base_channels": [4], "recipe.batch": [4, 8]}
    spec = {"classes": 3, "streams": 2, "columns": "1+1"}
    scores = Scores()
    search(study(spec=spec, space=space), folder=tmp_path, trials=5, evaluate=scores)
    assert sorted(job.recipe.batch for job in scores.jobs) == [4, 8]
    assert len({job.grid.fingerprint for job in scores.jobs}) == 1


def test_every_seed_is_trained_and_the_mean_is_the_score(tmp_path):
    scores = Scores(0.1, 0.2, 0.6, 0.5, 0.5, 0.5)
    result = search(WIDE.but(seeds=[3, 1, 2]), folder=tmp_path, trials=2, evaluate=scores)
    assert [(job.trial, job.seed) for job in scores.jobs] == [
        (number, seed) for number in (0, 1) for seed in (3, 1, 2)
    ]
    assert [entry.score for entry in result.entries] == pytest.approx([0.5, 0.3])
    assert result.entries[1].scores == (0.1, 0.2, 0.6)
    folders = [job.folder.relative_to(tmp_path) for job in scores.jobs[:2]]
    assert folders == [Path("trials/00000/seed-3"), Path("trials/00000/seed-1")]


def test_a_trial_that_is_pruned_in_its_first_seed_has_no_others(tmp_path):
    pruned = WIDE.but(seeds=2, pruner="median", sampler="random")
    seen = []

    def evaluate(job):
        seen.append((job.trial, job.seed))
        for epoch in range(1, job.recipe.epochs):
            if job.report(epoch, 0.9 if job.trial < 4 else 0.1):
                raise Pruned(0.1)
        return 0.9

    with pytest.raises(AssertionError):
        assert search(pruned, folder=tmp_path, trials=5, evaluate=evaluate).best is None
    assert [each for each in seen if each[0] >= 4] == [(number, 0) for number in range(4, 15)]
    assert states(tmp_path) == ["finished"] * 4 + ["pruned"] * 11


def test_a_search_ends_by_what_the_study_says(tmp_path):
    def stopped(name, answers, **changes):
        heard = Heard()
        folder = tmp_path / name
        search(WIDE.but(**changes), folder=folder, evaluate=Scores(*answers), watch=heard)
        return heard.lines[-1][1], len(states(folder))

    failing = [failure(), 0.5] * 20
    assert stopped("begun", failing, trials=10, stop={"begun": 7}) == (
        "7 candidates were begun; stop.begun allows more",
        7,
    )
    assert stopped("thrice", failing, trials=2) == ("", 4)
    assert stopped("progress", [0.5, 0.9, 0.8, 0.9], trials=10, stop={"no_progress": 2}) == (
        "the last 2 candidates were no better than the best",
        4,
    )
    assert stopped("hours", [], trials=10, stop={"hours": 1e-9}) == (
        "1e-09 hours are over; searching again goes on",
        0,
    )


def test_the_widest_u_net_is_trained_beside_the_candidates(tmp_path):
    scores = Scores()
    result = search(study(baselines=["unet"]), folder=tmp_path, trials=2, evaluate=scores)
    baseline = result.baseline.candidate
    assert baseline.name.startswith("U-Net, ")
    assert scores.specs[0] == baseline.network.complete()
    assert baseline.costs["parameters"] <= 20_000
    assert [row["role"] for row in rows(tmp_path)] == ["baseline", "searched", "searched"]


def test_a_random_baseline_has_as_many_candidates_and_trains_none_twice(tmp_path):
    scores = Scores()
    searched = WIDE.but(baselines=["random"])
    result = search(searched, folder=tmp_path, trials=4, evaluate=scores)
    roles = [row["role"] for row in rows(tmp_path)]
    assert (roles.count("searched"), roles.count("baseline")) == (4, 4)
    networks = [job.grid.fingerprint for job in scores.jobs]
    assert len(set(networks)) == len(networks)
    assert result.baseline is not None
    again = search(searched, folder=tmp_path, trials=4, evaluate=no_training)
    assert again.records == result.records


def test_the_best_are_confirmed_with_seeds_that_nothing_has_seen(tmp_path):
    scores = Scores()
    searched = WIDE.but(seeds=2, confirm={"top": 2, "seeds": 3}, baselines=["unet"])
    result = search(searched, folder=tmp_path, trials=3, evaluate=scores)
    again = [record for record in result.records if record.role == "confirmation"]
    assert [record.of for record in again] == [
        *(entry.number for entry in result.entries[:2]),
        result.baseline.number,
    ]
    assert {each.seed for record in again for each in record.trainings} == {2, 3, 4}
    assert {job.seed for job in scores.jobs if job.trial < 4} == {0, 1}
    assert search(searched, folder=tmp_path, trials=3, evaluate=no_training) == result


def test_more_seeds_of_a_confirmation_are_trained_beside_those_of_before(tmp_path):
    searched = WIDE.but(confirm={"top": 1, "seeds": 2})
    search(searched, folder=tmp_path, trials=2, evaluate=Scores())
    more, scores = searched.but(confirm={"top": 1, "seeds": 4}), Scores()
    result = search(more, folder=tmp_path, trials=2, evaluate=scores)
    assert [job.seed for job in scores.jobs] == [3, 4]
    again = [record for record in result.records if record.role == "confirmation"]
    assert [[each.seed for each in record.trainings] for record in again] == [[1, 2], [1, 2, 3, 4]]
    fewer = searched.but(confirm={"top": 1, "seeds": 1})
    for asked in (more, fewer, searched.but(confirm=None)):
        after = search(asked, folder=tmp_path, trials=2, evaluate=no_training)
        assert after.records == result.records


@pytest.mark.parametrize("confirm", [{"top": 1, "seeds": 1}, None])
def test_a_confirmation_that_was_killed_ends_with_what_it_has_where_fewer_are_asked_for(
    confirm, tmp_path
):
    searched = WIDE.but(confirm={"top": 1, "seeds": 4})
    interrupted = Scores(None, None, None, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        search(searched, folder=tmp_path, trials=1, evaluate=interrupted)
    result = search(searched.but(confirm=confirm), folder=tmp_path, trials=1, evaluate=no_training)
    (again,) = (record for record in result.records if record.role == "confirmation")
    assert (again.state, [each.seed for each in again.trainings]) == ("finished", [1, 2])


def test_a_lack_of_memory_is_infeasible_and_no_failure(tmp_path):
    def evaluate(job):
        raise OutOfMemoryError("Memory ran out at batch 8. Lower batch or crop.size.")

    result = search(WIDE, folder=tmp_path, trials=3, evaluate=evaluate)
    assert result.best is None
    assert states(tmp_path) == ["infeasible"] * 9
    assert {row["note"] for row in rows(tmp_path)} == {
        "memory ran out: Memory ran out at batch 8. Lower batch or crop.size."
    }


def test_called_again_it_goes_on(tmp_path):
    first, second = Scores(), Scores()
    before = search(WIDE, folder=tmp_path, trials=2, evaluate=first)
    table = rows(tmp_path)
    after = search(WIDE, folder=tmp_path, trials=5, evaluate=second)
    assert (len(first.numbers), len(second.numbers)) == (2, 3)
    assert rows(tmp_path)[: len(table)] == table
    assert [int(row["trial"]) for row in rows(tmp_path)] == [0, 1, 2, 3, 4]
    assert after.records[:2] == before.records
    assert len(after.entries) == 5


def test_a_search_that_is_done_trains_nothing_more(tmp_path):
    done = search(WIDE, folder=tmp_path, trials=3, evaluate=Scores())
    for trials in (3, 2, 1):
        again = search(WIDE, folder=tmp_path, trials=trials, evaluate=no_training)
        assert again.records == done.records
    more = WIDE.but(trials=4)
    assert len(search(more, folder=tmp_path, evaluate=Scores()).entries) == 4


def test_another_study_in_the_folder_is_refused_before_anything_happens(tmp_path):
    folder = tmp_path / "found"
    search(study(), folder=folder, trials=1, evaluate=Scores())
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(RunError) as caught:
        search(study(budget={"parameters": 20_001}), folder=folder, evaluate=no_training)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{folder}")
    assert "budget" in str(caught.value)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": "shapes"},
        {"seeds": 2},
        {"objective": "val_dice"},
        {"sampler": "random"},
        {"match": {"parameters": 5000, "within": 0.9}, "space": {"streams": [2, 3]}},
    ],
)
def test_what_decides_the_scores_may_not_change(changes, tmp_path):
    spec = {"classes": 3, "columns": "1+1"}
    search(study(spec=spec), folder=tmp_path, trials=1, evaluate=size_of)
    changed = study(spec=spec, **changes)
    with pytest.raises(RunError):
        search(changed, folder=tmp_path, trials=2, evaluate=no_training)


def size_of(job) -> float:
    return size(job.network)


def test_an_edited_recipe_is_another_study(tmp_path):
    text = "extends: demo\nepochs: {}\n"
    recipe = tmp_path / "r.yaml"
    recipe.write_text(text.format(3))
    search(study(recipe=str(recipe)), folder=tmp_path / "a", trials=1, evaluate=Scores())
    recipe.write_text(text.format(1))
    with pytest.raises(RunError):
        search(study(recipe=str(recipe)), folder=tmp_path / "a", trials=2, evaluate=no_training)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_one_seed_gives_the_same_candidates_and_scores(sampler, tmp_path):
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        scores = Scores()
        searched = WIDE.but(sampler=sampler, seed=seed)
        search(searched, folder=tmp_path / name, trials=5, evaluate=scores)
        found.append(scores.specs)
    assert found[0] == found[1]
    assert (found[0] == found[2]) == (sampler == "grid")


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        (
            {"budget": {"parameters": 10}},
            f"budget: none of 8 candidates meets it; nearest is {NEAREST}: 3,369 parameters are "
            "more than 10 (337 times); loosen the limit, or widen space",
        ),
        (
            {"space": {"streams": [2], "columns": [["up", "sub"]], "base_channels": [2, 4]}},
            "space: none of 2 candidates makes a network; columns: no path from input to output "
            "visits stream 1; the columns need a sub before an up",
        ),
    ],
)
def test_a_budget_that_nothing_meets_is_said_at_once(changes, fact, tmp_path):
    with pytest.raises(SpecError) as caught:
        search(study(**changes), folder=tmp_path / "found", evaluate=no_training)
    assert str(caught.value) == fact
    assert not (tmp_path / "found").exists()


def test_a_candidate_that_cannot_be_trained_is_noted_and_the_search_goes_on(tmp_path):
    scores = Scores(failure("no gradient"), None, failure(), failure(), None, None)
    result = search(WIDE, folder=tmp_path, trials=3, evaluate=scores)
    assert len(result.entries) == 3
    failed = [row for row in rows(tmp_path) if row["state"] == "failed"]
    assert [row["note"] for row in failed] == ["no gradient", "the loss is nan", "the loss is nan"]
    assert {row["score"] for row in failed} == {""}


def test_a_score_that_is_no_number_is_a_failure(tmp_path):
    search(WIDE, folder=tmp_path, trials=1, evaluate=Scores(float("nan")))
    assert states(tmp_path) == ["failed", "finished"]
    assert rows(tmp_path)[0]["note"] == "the score is nan"


def test_a_function_may_give_scores_by_column(tmp_path):
    def evaluate(job):
        return {"val_iou": 0.5, "val_dice": 0.6}

    result = search(WIDE, folder=tmp_path, trials=1, evaluate=evaluate)
    assert result.entries[0].trainings[0].row == {"val_iou": 0.5, "val_dice": 0.6}
    search(WIDE, folder=tmp_path / "np", trials=1, evaluate=lambda job: np.float32(0.5))
    assert rows(tmp_path / "np")[0]["score"] == "0.500000"
    search(WIDE, folder=tmp_path / "t", trials=1, evaluate=lambda job: torch.tensor(0.5))
    assert rows(tmp_path / "t")[0]["score"] == "0.500000"
    search(WIDE, folder=tmp_path / "b", trials=1, evaluate=lambda job: {"a": 1.0})
    assert rows(tmp_path / "b")[0]["note"] == "there is no val_iou among its scores: a"


@pytest.mark.parametrize("answer", [None, "good", [0.5], True, {"val_iou": "good"}])
def test_a_function_that_returns_no_score_is_told_so(answer, tmp_path):
    with pytest.raises(UsageError, match="evaluate gave"):
        search(WIDE, folder=tmp_path, trials=1, evaluate=lambda job: answer)


def test_five_failures_in_a_row_stop_it_and_it_can_go_on(tmp_path):
    scores = Scores(*(failure(f"reason {i}") for i in range(9)))
    with pytest.raises(TrainingError) as caught:
        search(WIDE, folder=tmp_path, trials=4, evaluate=scores)
    assert str(caught.value) == "5 candidates in a row failed; the last: reason 4"
    assert states(tmp_path).count("failed") == 5
    scores = Scores()
    result = search(WIDE, folder=tmp_path, trials=4, evaluate=scores)
    assert len(result.entries) == 4
    assert min(scores.numbers) > 4


@pytest.mark.parametrize("bug", [ZeroDivisionError("ours"), ValueError("ours"), RuntimeError()])
def test_a_bug_is_not_swallowed_and_its_trial_is_run_again(bug, tmp_path):
    scores = Scores(None, bug)
    with pytest.raises(type(bug)):
        search(WIDE, folder=tmp_path, trials=3, evaluate=scores)
    assert states(tmp_path).count("running") == 1
    again = Scores()
    result = search(WIDE, folder=tmp_path, trials=3, evaluate=again)
    assert again.numbers[0] == scores.numbers[-1]
    assert again.specs[0] == scores.specs[-1]
    assert again.numbers.count(scores.numbers[-1]) == 1
    assert len(result.entries) == 3
    assert "running" not in states(tmp_path)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Interrupted("stopped", 15)])
def test_a_search_that_is_stopped_writes_what_it_has_and_goes_on(stop, tmp_path):
    searched = WIDE.but(seeds=2)
    with pytest.raises(type(stop)):
        search(searched, folder=tmp_path, trials=2, evaluate=Scores(None, None, None, stop))
    assert states(tmp_path) == ["finished", "running"]
    assert (tmp_path / "report.html").is_file()
    again = Scores()
    search(searched, folder=tmp_path, trials=2, evaluate=again)
    assert [(job.trial, job.seed) for job in again.jobs] == [(1, 1)]


def test_sigterm_ends_a_search_in_order(tmp_path):
    scores, before = Scores(), signal.getsignal(signal.SIGTERM)

    def evaluate(job):
        if job.trial == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return scores(job)

    with pytest.raises(Interrupted) as caught:
        search(WIDE, folder=tmp_path, trials=3, evaluate=evaluate)
    assert (caught.value.signal, caught.value.exit_code) == (15, 143)
    assert signal.getsignal(signal.SIGTERM) is before
    assert states(tmp_path) == ["finished", "running"]
    assert "1 of its trials is not over" in (tmp_path / "report.html").read_text("utf-8")
    result = search(WIDE, folder=tmp_path, trials=3, evaluate=Scores())
    assert [record.state for record in result.records] == ["finished"] * 3


def test_candidates_whose_width_is_chosen_are_counted_too(tmp_path):
    told = []

    class Told(SearchObserver):
        def phase(self, title, wanted, before):
            told.append(wanted)

    matched = study(
        spec={"classes": 3, "columns": "2+2"},
        space={"topology": ["gridnet", "unet"], "streams": [2, 3]},
        match={"parameters": 5_000, "within": "30 %"},
        sampler="grid",
    )
    search(matched, folder=tmp_path, trials=20, evaluate=Scores(), watch=Told())
    assert told == [4]


def test_sigterm_while_the_database_is_opened_is_no_damage(tmp_path, monkeypatch):
    search(WIDE, folder=tmp_path, trials=1, evaluate=Scores())

    def killing(path):
        os.kill(os.getpid(), signal.SIGTERM)

    # A record of the kinds of storage is frozen.
    sqlite = replace(storages.KINDS["sqlite"], connect=killing)
    with monkeypatch.context() as patch:
        patch.setitem(storages.KINDS, "sqlite", sqlite)
        with pytest.raises(Interrupted) as caught:
            search(WIDE, folder=tmp_path, trials=2, evaluate=Scores())
    assert str(caught.value) == "the search was asked to stop; calling it again goes on"
    assert len(search(WIDE, folder=tmp_path, trials=2, evaluate=Scores()).records) == 2


def test_data_without_an_image_that_it_had_is_another_study(tmp_path, monkeypatch):
    def engine(study, *others):
        return FunctionEngine(Scores(), study.objective)

    # What the data holds is looked at where children train.
    monkeypatch.setattr(driver, "engine_of", engine)
    names = [*(f"train/{{}}/{name}.png" for name in "abc"), "val/{}/d.png"]
    images = {name.format("images"): np.zeros((8, 8, 3), np.uint8) for name in names}
    labels = {name.format("labels"): np.zeros((8, 8), np.uint8) for name in names}
    data = lay(tmp_path / "data", images | labels)
    searched = study(data=str(data), spec={"classes": 2})
    search(searched, folder=tmp_path / "found", trials=1)
    for kind in ("images", "labels"):
        (data / "train" / kind / "b.png").rename(tmp_path / f"{kind}.png")
    with pytest.raises(RunError) as caught:
        search(searched, folder=tmp_path / "found", trials=2)
    assert str(caught.value) == (
        f"{tmp_path / 'found'} holds a search with other images than this study's now; "
        "put them back, or name another folder with -o"
    )
    for kind in ("images", "labels"):
        (tmp_path / f"{kind}.png").rename(data / "train" / kind / "b.png")
    assert len(search(searched, folder=tmp_path / "found", trials=2).entries) == 2


def test_a_search_that_was_stopped_proposes_what_it_would_have(tmp_path):
    whole, parts = Scores(), Scores(None, None, KeyboardInterrupt())
    search(WIDE, folder=tmp_path / "whole", trials=6, evaluate=whole)
    with pytest.raises(KeyboardInterrupt):
        search(WIDE, folder=tmp_path / "parts", trials=6, evaluate=parts)
    search(WIDE, folder=tmp_path / "parts", trials=6, evaluate=parts)
    assert parts.specs[:2] + parts.specs[3:] == whole.specs


def test_a_second_driver_is_refused_at_once(tmp_path):
    folder = tmp_path / "found"
    search(WIDE, folder=folder, trials=1, evaluate=Scores())
    hold = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); "
    hold += "print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(folder / ".lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunError) as caught:
            search(WIDE, folder=folder, trials=2, evaluate=no_training)
        holder.communicate()
    assert str(caught.value) == f"{folder}: another process is searching there"
    assert len(search(WIDE, folder=folder, trials=2, evaluate=Scores()).entries) == 2


def test_of_eight_searches_at_once_one_works(tmp_path):
    together, refused, won = Barrier(8), [], []

    def begin():
        together.wait()
        try:
            won.append(search(WIDE, folder=tmp_path / "found", trials=2, evaluate=evaluate))
        except RunError as error:
            refused.append(str(error))

    def evaluate(job):
        wait_for(lambda: len(refused) == 7)
        return 0.5

    threads = [Thread(target=begin) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [len(result.entries) for result in won] == [2]
    assert refused == [f"{tmp_path / 'found'}: another process is searching there"] * 7
    assert states(tmp_path / "found") == ["finished"] * 2


def test_a_search_holds_its_own_lock(tmp_path):
    def evaluate(job):
        with pytest.raises(RunError):
            search(WIDE, folder=tmp_path, trials=2, evaluate=no_training)
        return 0.5

    assert len(search(WIDE, folder=tmp_path, trials=1, evaluate=evaluate).entries) == 1


@pytest.mark.parametrize(
    "name", ["what?", "a{b}", "{}", "50%", "%3F", "a#b", "a b", "ä&=;\\'", "$x^$"]
)
def test_any_path_holds_a_study(name, tmp_path, monkeypatch):
    folder = tmp_path / name / "found"
    one = search(study(), folder=folder, trials=1, evaluate=Scores())
    assert (folder / "study.db").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
    monkeypatch.chdir(tmp_path)
    relative = Path(name, "found")
    again = search(study(), folder=relative, trials=1, evaluate=no_training)
    assert again.records == one.records


def test_a_path_that_is_not_utf_8_is_refused(tmp_path):
    folder = tmp_path / os.fsdecode(b"found\xff")
    with pytest.raises(RunError, match="not UTF-8"):
        search(study(), folder=folder, trials=1, evaluate=no_training)


def test_a_file_in_the_way_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError) as caught:
        search(study(), folder=tmp_path / "file", evaluate=no_training)
    assert str(caught.value) == f"{tmp_path}/file: cannot be made: a file is in the way"


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        (
            {"data": "shaps"},
            f"data: {unknown('dataset or folder', 'shaps', ['shapes'])}",
        ),
        (
            {"spec": {"classes": 2}},
            "spec.classes: 2, but the data shapes has 3; set classes: 3",
        ),
        (
            {"spec": {"classes": 3, "in_channels": 1}},
            "spec.in_channels: 1, but the data shapes has 3; set in_channels: 3",
        ),
        ({"objective": "val_iou.car"}, "objective: val_iou.car is not scored on shapes"),
    ],
)
def test_what_no_child_could_train_is_refused_before_the_first(changes, fact, tmp_path):
    with pytest.raises(SpecError) as caught:
        search(study(**changes), folder=tmp_path / "found")
    assert str(caught.value).startswith(fact)
    assert not (tmp_path / "found").exists()


def test_best_yaml_is_the_best_spec_and_builds(tmp_path, monkeypatch, capsys):
    scores = Scores()
    result = search(WIDE, folder=tmp_path, trials=6, evaluate=scores)
    best = max((job.network for job in scores.jobs), key=size)
    assert result.best == best == GridSpec.load(tmp_path / "best.yaml")
    entry = result.entries[0]
    parameters = entry.candidate.costs["parameters"]
    assert (tmp_path / "best.yaml").read_text("utf-8").splitlines()[0] == (
        f"# val_iou {size(best):.4f} on shapes, {parameters:,} parameters (trial {entry.number})."
    )
    monkeypatch.chdir(tmp_path)
    assert run(["build", "best.yaml"]) == 0
    assert f"parameters  {parameters:,}\n" in capsys.readouterr().out


def test_the_rows_of_a_table_count_as_trained(tmp_path):
    first = WIDE.but(seeds=2, baselines=["unet"], confirm={"top": 1, "seeds": 2})
    done = search(first, folder=tmp_path / "a", trials=4, evaluate=Scores())
    table = tmp_path / "a" / "trials.csv"
    again = Scores()
    result = search(first, folder=tmp_path / "b", trials=6, evaluate=again, known=table)
    assert len(result.entries) == 6
    trained = {(job.grid.fingerprint, job.seed) for job in again.jobs}
    known = {
        (build_grid(record.candidate.network).fingerprint, each.seed)
        for record in done.records
        for each in record.trainings
    }
    assert not trained & known
    scores = {each.candidate.key: each.scores for each in result.records if each.role == "searched"}
    assert all(
        scores[each.candidate.key] == pytest.approx(each.scores)
        for each in done.records
        if each.role == "searched"
    )
    more = search(first, folder=tmp_path / "b", trials=6, evaluate=no_training, known=table)
    assert more.records == result.records


def test_a_table_of_another_study_is_told_and_not_taken(tmp_path):
    search(WIDE, folder=tmp_path / "a", trials=3, evaluate=Scores())
    other, heard = WIDE.but(recipe="shapes"), Heard()
    table = tmp_path / "a" / "trials.csv"
    search(other, folder=tmp_path / "b", trials=1, evaluate=Scores(), known=table, watch=heard)
    assert len(rows(tmp_path / "b")) == 1
    assert heard.lines[0] == (
        "noted",
        f"{table}: 3 of 3 candidates are none of this study, and are left out",
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("scores", "nan"), ("scores", "1e999"), ("scores", "0,5"), ("scores", "0.5 0.5")),
        *(("seeds", "-4"), ("seeds", "0 0"), ("seeds", "1.5"), ("seeds", "9" * 5000)),
    ],
)
def test_a_table_with_a_score_that_no_training_gave_is_refused_first(column, value, tmp_path):
    search(WIDE, folder=tmp_path / "a", trials=1, evaluate=Scores())
    (row,) = rows(tmp_path / "a")
    table = tmp_path / "known.csv"
    row |= {column: value} | ({"scores": "0.5 0.5"} if value == "0 0" else {})
    table.write_text(csv_text([[*row], [*row.values()]]))
    with pytest.raises(RunError) as caught:
        search(WIDE, folder=tmp_path / "b", trials=1, evaluate=no_training, known=table)
    assert str(caught.value).startswith(f"{table}:2: seeds ")
    assert str(caught.value).endswith(" do not agree; restore the line")
    assert len(str(caught.value)) < 200 + len(str(table))
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (None, ": No such file or directory; name a trials.csv"),
        (b"", ":1: not the first line of a trials.csv: trial,role,state,candidate,..."),
        (b"trial,seed,state\n", ":1: not the first line of a trials.csv: trial,role,"),
        (b"\x80\xff", ": 'utf-8' codec can't decode byte 0x80"),
    ],
)
def test_what_is_no_table_is_refused_before_anything_is_written(content, fact, tmp_path):
    table = tmp_path / "known.csv"
    if content is not None:
        table.write_bytes(content)
    with pytest.raises(RunError) as caught:
        search(WIDE, folder=tmp_path / "b", trials=1, evaluate=no_training, known=table)
    assert str(caught.value).startswith(f"{table}{fact}")
    assert not (tmp_path / "b").exists()


def test_a_row_from_outside_the_space_is_none_of_the_study(tmp_path):
    wide = study(space={"streams": [2], "columns": ["1+1"], "base_channels": {"low": 2, "high": 8}})
    search(wide.but(sampler="grid"), folder=tmp_path / "a", trials=2, evaluate=Scores())
    space = wide.plain()["space"]
    narrow, heard = study(space={**space, "base_channels": {"low": 3, "high": 8}}), Heard()
    table = tmp_path / "a" / "trials.csv"
    search(narrow, folder=tmp_path / "b", trials=1, evaluate=no_training, known=table, watch=heard)
    assert [int(row["base_channels"]) for row in rows(tmp_path / "b")] == [3]
    fact = "1 of 2 candidates are none of this study, and are left out"
    assert heard.lines[0] == ("noted", f"{table}: {fact}")


class Heard(SearchObserver):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[object, ...]] = []

    def started(self, wanted, done, places=1):
        self.lines.append(("started", wanted, done))

    def noted(self, line):
        self.lines.append(("noted", line))

    def begun(self, trial, seed, candidate, number):
        self.lines.append(("begun", trial, seed, number))

    def scored(self, trial, seed, epoch, score):
        self.lines.append(("scored", trial, seed, epoch, score))

    def ended(self, record):
        self.lines.append(("ended", record.number, record.state, record.score))

    def refused(self, reason, many=1):
        self.lines.append(("refused", reason, many))

    def finished(self, reason):
        self.lines.append(("finished", reason))


def test_it_is_told_as_it_goes(tmp_path):
    only = study(space={"streams": [2], "columns": ["1+1"], "base_channels": [4]})

    def evaluate(job):
        job.report(1, 0.25)
        return 0.5

    heard = Heard()
    search(only, folder=tmp_path, trials=1, evaluate=evaluate, watch=heard)
    assert heard.lines == [
        ("started", 1, 0),
        ("begun", 0, 0, 1),
        ("scored", 0, 0, 1, 0.25),
        ("ended", 0, "finished", 0.5),
        ("finished", ""),
    ]


def test_few_candidates_are_told_at_the_start(tmp_path):
    heard = Heard()
    few = study(budget={"parameters": 4000})
    search(few, folder=tmp_path, trials=2, evaluate=Scores(), watch=heard)
    assert ("noted", "1 of 8 candidates meet the budget") in heard.lines
    assert heard.lines[-1] == ("finished", "all candidates that meet the budget have been tried")


def test_published_networks_and_files_are_searched(tmp_path):
    text = "data: shapes\nrecipe: demo\nspecs: [unet-2015, fcn-8s]\nspec: {classes: 3}\n"
    searched = Study.parse(text + "sampler: grid\nbaselines: []\n")
    scores = Scores(0.3, 0.4)
    result = search(searched, folder=tmp_path, trials=2, evaluate=scores)
    assert [job.network.title for job in scores.jobs] == ["unet-2015", "fcn-8s"]
    assert result.best.title == "fcn-8s"


def test_no_more_are_counted_than_there_are(tmp_path):
    class Counting(SearchObserver):
        def phase(self, name, wanted, done=0):
            counted.append((name, wanted, done))

    counted: list[tuple[str, int, int]] = []
    few = study(space={"streams": [2, 3], "columns": ["1+1"], "base_channels": [4]})
    search(few, folder=tmp_path, trials=20, evaluate=Scores(), watch=Counting())
    assert counted == [("search", 2, 0)]
