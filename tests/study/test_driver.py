"""Searches whose candidates are not trained: what is asked for, refused, told and kept."""

import io
import os
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import optuna
import pytest
from PIL import Image

from gridgen.analysis import count
from gridgen.cli.app import run
from gridgen.emit import GridNetwork
from gridgen.errors import FileError, OutOfMemoryError, RunError, SpecError, TrainingError, unknown
from gridgen.grid import build_grid
from gridgen.space import Budget
from gridgen.spec import GridSpec
from gridgen.study import SAMPLERS, Study, search
from gridgen.study.old_report import SearchObserver, SearchProgress
from gridgen.study.storage import open_storage
from gridgen.study.trial_processes import Pruned
from study.fakes import Scores, failure, no_training, rows, size, states, study

WIDE = study(
    space={"streams": [2, 3, 4], "columns": ["1+1", "2+2", "3+3"], "base_channels": [2, 4, 6, 8]},
    budget={},
)
"""36 candidates, all of them allowed."""

PAPER = {"streams": 5, "columns": "3+3", "classes": 19}
"""With F0 = 16: 13,181,097 parameters, of which the paper's formula sees 10,027,008."""


def stored(folder) -> list[optuna.trial.FrozenTrial]:
    """The trials in the database itself."""
    storage = f"sqlite:///{folder}/study.db"
    return optuna.load_study(study_name="gridgen", storage=storage).get_trials(deepcopy=False)


def test_trials_counts_what_is_trained_and_nothing_else(tmp_path):
    scores = Scores()
    result = search(study(sampler="random"), folder=tmp_path, trials=3, evaluate=scores)
    assert len(scores.numbers) == len(result.entries) == 3
    assert result.refused > 0
    kinds = states(tmp_path)
    copies = sum("same network as" in row["note"] for row in rows(tmp_path))
    assert kinds.count("complete") - copies == 3
    assert kinds.count("refused") == result.refused
    assert len(kinds) == 3 + copies + result.refused
    assert (result.pruned, result.failed) == (0, 0)


def test_what_is_over_budget_is_refused_and_neither_grid_nor_module_is_built(tmp_path, monkeypatch):
    def explode(self, grid):
        raise AssertionError(f"{grid.spec} is built")

    def within(spec):
        grid = build_grid(spec)
        assert count(grid).parameters.total <= 20_000
        return grid

    monkeypatch.setattr(GridNetwork, "__init__", explode)
    monkeypatch.setattr(import_module("gridgen.study.driver"), "build_grid", within)
    with pytest.raises(AssertionError):
        GridNetwork(build_grid(GridSpec(**PAPER, base_channels=16)))
    result = search(study(), folder=tmp_path, evaluate=Scores())
    refused = [row for row in rows(tmp_path) if row["state"] == "refused"]
    assert len(refused) == result.refused > 0
    reasons = {
        f"{parameters:,} parameters are more than 20,000"
        for parameters in (29_529, 52_041, 32_529, 127_449)
    }
    assert {row["note"] for row in refused} <= reasons
    assert {row["score"] for row in refused} == {""}


@pytest.mark.parametrize(
    ("quantity", "limit"), [("parameters", 12_393), ("activations", 909_312), ("macs", 19_501_056)]
)
def test_every_trained_candidate_meets_the_budget_exactly(quantity, limit, tmp_path):
    """Each limit is what one of the eight candidates costs, so the limit itself is allowed."""
    budget = {quantity: limit, "size": [64, 64]}
    scores = Scores()
    search(study(budget=budget), folder=tmp_path, trials=8, evaluate=scores)
    costs = []
    for grid in scores.grids:
        counted = count(build_grid(GridSpec(**grid.spec.plain())), (64, 64))
        costs.append(getattr(counted, quantity).total)
    assert max(costs) == limit
    assert len(costs) == len(set(costs))
    for row in rows(tmp_path):
        assert (row["state"] == "refused") == (row["note"].endswith(f"more than {limit:,}"))


def test_all_broken_limits_are_named(tmp_path):
    two = {"streams": [3], "columns": ["2+2"], "base_channels": [1, 8]}
    budget = {"parameters": "10k", "activations": "1M", "macs": "1GMAC", "size": [64, 64]}
    search(study(space=two, budget=budget), folder=tmp_path, trials=2, evaluate=Scores())
    assert {row["note"] for row in rows(tmp_path) if row["state"] == "refused"} == {
        "127,449 parameters are more than 10,000; 2,187,264 activations are more than 1,000,000"
    }


def test_what_sees_too_little_is_refused(tmp_path):
    two = {"streams": [2, 3], "columns": ["1+1"], "base_channels": [2]}
    budget = {"min_receptive_field": 40}
    result = search(study(space=two, budget=budget), folder=tmp_path, trials=2, evaluate=Scores())
    assert [entry.spec.streams for entry in result.entries] == [3]
    assert {row["note"] for row in rows(tmp_path) if row["state"] == "refused"} == {
        "27 pixels of receptive field are less than 40"
    }


def test_what_needs_too_much_memory_is_refused(tmp_path):
    two = {"streams": [2], "columns": ["1+1"], "base_channels": [2, 4]}
    spec = GridSpec(streams=2, columns="1+1", base_channels=2, classes=3)
    terms = {"size": (64, 64), "batch": 30}
    least = Budget(training_memory="1MB", **terms).cost(build_grid(spec))["training_memory"]
    budget = {"training_memory": least, **terms}
    result = search(study(space=two, budget=budget), folder=tmp_path, trials=2, evaluate=Scores())
    assert [entry.spec.base_channels for entry in result.entries] == [2]
    notes = {row["note"] for row in rows(tmp_path) if row["state"] == "refused"}
    assert all(note.endswith(f"bytes of training memory are more than {least:,}") for note in notes)
    assert len(notes) == 1


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
        assert [entry.parameters for entry in result.entries] == [13_181_097]
        return
    with pytest.raises(SpecError) as caught:
        search(searched, folder=tmp_path, trials=1, evaluate=no_training)
    cost = {"paper": "10,027,008", "exact": "13,181,097"}[bound]
    assert f": {cost} parameters are more than {limit:,} (" in str(caught.value)


def test_a_budgets_size_is_rounded_up_to_what_the_streams_need(tmp_path):
    deep = study(
        space={"streams": [6], "columns": ["1+1"], "base_channels": [1]}, budget={"macs": 10**12}
    )
    search(deep, folder=tmp_path, trials=1, evaluate=Scores())
    spec = GridSpec(streams=6, columns="1+1", base_channels=1, classes=3)
    assert rows(tmp_path)[0]["macs"] == str(count(build_grid(spec), (416, 416)).macs.total)


def test_what_makes_no_grid_is_refused_with_the_reason(tmp_path):
    mixed = study(
        space={
            "streams": [2],
            "columns": [["sub", "up", "sub", "up"]],
            "base_channels": [2],
            "topology": ["gridnet", "unet"],
        }
    )
    result = search(mixed, folder=tmp_path, evaluate=Scores())
    assert [entry.topology for entry in result.entries] == ["gridnet"]
    notes = {row["note"] for row in rows(tmp_path) if row["state"] == "refused"}
    assert notes == {
        "topology: conv-deconv, unet and frrn go down and up once; columns 1+1+1+1 are not sub "
        "columns, then up columns"
    }


def test_a_network_is_trained_once_whatever_its_topology_is_called(tmp_path):
    space = {"streams": [2], "columns": ["1+1"], "base_channels": [2, 4]}
    twins = study(space=space | {"topology": ["gridnet", "unet"]})
    scores = Scores()
    result = search(twins, folder=tmp_path, trials=5, evaluate=scores)
    assert sorted(grid.spec.base_channels for grid in scores.grids) == [2, 4]
    assert len(result.entries) == 2
    table = rows(tmp_path)
    first = {row["base_channels"]: row for row in reversed(table)}
    copies = [row for row in table if row not in first.values()]
    assert len(copies) == result.copies >= 1
    for row in copies:
        original = first[row["base_channels"]]
        assert row["state"] == "complete"
        assert row["note"] == f"same network as trial {original['trial']}"
        assert row["score"] == original["score"]


def test_what_a_spec_says_of_parts_that_its_grid_lacks_makes_no_other_network(tmp_path):
    """One stream has no vertical connections, and a path without branches no fusions."""
    space = {
        "streams": [1],
        "columns": ["1+1", ["up", "sub"]],
        "base_channels": [2, 4],
        "residual.vertical": [False, True],
        "units.upsampling": ["deconv", "bilinear"],
        "fusion": ["sum", "concat", "weighted"],
    }
    scores, heard = Scores(), Heard()
    alike = study(space=space, budget={}, sampler="random")
    result = search(alike, folder=tmp_path, trials=9, evaluate=scores, watch=heard)
    assert sorted(grid.spec.base_channels for grid in scores.grids) == [2, 4]
    assert (len(result.entries), result.copies) == (2, len(rows(tmp_path)) - 2)
    assert heard.lines[1] == ("few", 48, 48, 2)
    reason = "all 2 different networks that meet the budget have been tried"
    assert heard.lines[-1] == ("finished", reason)


def test_a_space_whose_points_have_all_been_tried_ends_the_search_and_says_so(tmp_path):
    said = []

    class Ears(SearchObserver):
        def finished(self, reason):
            said.append(reason)

    pair = study(space={"streams": [2], "columns": ["1+1"], "base_channels": [2, 4]})
    search(pair, folder=tmp_path, trials=5, evaluate=Scores(), watch=Ears())
    assert said == ["all 2 candidates of the space have been tried"]


def test_a_lack_of_memory_is_infeasible_and_no_failure(tmp_path):
    def evaluate(grid, folder, report):
        raise OutOfMemoryError("Memory ran out at batch 8. Lower batch or crop.size.")

    result = search(WIDE, folder=tmp_path, trials=3, evaluate=evaluate)
    assert (result.best, result.failed) == (None, 0)
    lacking = [row for row in rows(tmp_path) if row["state"] == "pruned"]
    assert len(lacking) > 5
    notes = {row["note"] for row in lacking if not row["note"].startswith("same network as")}
    assert notes == {"Memory ran out at batch 8. Lower batch or crop.size."}


def test_called_again_it_goes_on(tmp_path):
    first, second = Scores(), Scores()
    before = search(WIDE, folder=tmp_path, trials=2, evaluate=first)
    table = rows(tmp_path)
    after = search(WIDE, folder=tmp_path, trials=5, evaluate=second)
    assert (len(first.numbers), len(second.numbers)) == (2, 3)
    assert rows(tmp_path)[: len(table)] == table
    numbers = [int(row["trial"]) for row in rows(tmp_path)]
    assert numbers == list(range(len(numbers)))
    assert min(second.numbers) >= len(table)
    assert set(before.entries) < set(after.entries)
    assert len(after.entries) == 5


def test_a_search_that_is_done_trains_nothing_more(tmp_path):
    done = search(WIDE, folder=tmp_path, trials=3, evaluate=Scores())
    for trials in (3, 2, 1):
        again = search(WIDE, folder=tmp_path, trials=trials, evaluate=no_training)
        assert again == done
    more = WIDE.but(trials=4)
    assert len(search(more, folder=tmp_path, evaluate=Scores()).entries) == 4


def test_another_study_in_the_folder_is_refused_before_anything_happens(tmp_path):
    folder = tmp_path / "found"
    search(study(), folder=folder, trials=1, evaluate=Scores())
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(RunError) as caught:
        search(study(budget={"parameters": 20_001}), folder=folder, evaluate=no_training)
    assert str(caught.value) == (
        f"{folder} holds a study with other settings ({folder}/study.yaml); "
        "name another folder with -o"
    )
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_what_the_recipe_says_of_memory_is_a_setting_of_the_study(tmp_path):
    limit = {"training_memory": "40MB", "size": [64, 64]}
    searched = study(budget=limit)
    search(searched, folder=tmp_path, trials=1, evaluate=Scores())
    kept = Study.load(tmp_path / "study.yaml")
    assert kept.limits == searched.limits
    assert kept.limits.batch == searched.training.batch > 1
    with pytest.raises(RunError):
        search(study(budget=limit | {"batch": 1}), folder=tmp_path, evaluate=no_training)
    same = study(budget=limit | {"batch": searched.training.batch})
    assert len(search(same, folder=tmp_path, trials=1, evaluate=no_training).entries) == 1


def test_candidates_that_differ_in_a_unit_are_called_differently(tmp_path, capsys):
    two = study(
        spec={"classes": 3, "streams": 2, "columns": "1+1", "base_channels": 4},
        space={"units.upsampling": ["deconv", "bilinear"]},
        budget={},
    )
    search(
        two,
        folder=tmp_path,
        trials=2,
        evaluate=Scores(),
        watch=SearchProgress("val_iou", two.space),
    )
    told = capsys.readouterr().err
    for unit in ("deconv", "bilinear"):
        assert f"gridnet, 2 streams, 1+1 columns, F0 = 4, units.upsampling {unit}, " in told


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_one_seed_gives_the_same_candidates_and_scores(sampler, tmp_path):
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        scores = Scores()
        searched = WIDE.but(sampler=sampler, seed=seed)
        search(searched, folder=tmp_path / name, trials=5, evaluate=scores)
        found.append((scores.specs, rows(tmp_path / name)))
    assert found[0] == found[1]
    assert found[0] != found[2]


NEAREST = "gridnet, 2 streams, 1+1 columns, F0 = 4"


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        (
            {"budget": {"parameters": 10}},
            f"budget: none of 8 candidates meets it; nearest is {NEAREST}: 3,369 parameters are "
            "more than 10 (336.90 times); loosen the limit, or widen space",
        ),
        (
            {"space": {"streams": [2], "columns": [["up", "sub"]], "base_channels": [2, 4]}},
            "space: none of 2 candidates makes a grid; columns: no path from input to output "
            "visits stream 1; the columns need a sub before an up",
        ),
    ],
)
def test_a_budget_that_nothing_meets_is_said_at_once(changes, fact, tmp_path):
    with pytest.raises(SpecError) as caught:
        search(study(**changes), folder=tmp_path / "found", evaluate=no_training)
    assert str(caught.value) == fact
    assert not (tmp_path / "found").exists()


def test_the_nearest_to_a_limit_on_memory_needs_least_of_it(tmp_path):
    spec = GridSpec(streams=2, columns="1+1", base_channels=4, classes=3)
    budget = {"training_memory": 1_000_000, "size": (64, 64), "batch": 1}
    needed = Budget(**budget).cost(build_grid(spec))["training_memory"]
    with pytest.raises(SpecError) as caught:
        search(study(budget=budget), folder=tmp_path / "found", evaluate=no_training)
    assert f"nearest is {NEAREST}: {needed:,} bytes of training memory are" in str(caught.value)


def test_a_search_that_finds_nothing_new_ends(tmp_path, monkeypatch):
    """As where a space is too large to know what meets the budget."""
    monkeypatch.setattr(import_module("gridgen.study.study"), "MOST_POINTS", 7)
    result = search(study(budget={"parameters": 10}), folder=tmp_path, evaluate=no_training)
    assert (result.best, result.entries) == (None, ())
    assert 0 < result.refused <= import_module("gridgen.study.driver").GIVE_UP == 20
    assert states(tmp_path) == ["refused"] * result.refused
    assert not (tmp_path / "best.yaml").exists()
    assert not (tmp_path / "scores.png").exists()


def test_memory_is_left_to_the_candidates_where_a_space_is_large(tmp_path, monkeypatch):
    monkeypatch.setattr(import_module("gridgen.study.study"), "MOST_GRIDS", 7)
    budget = {"training_memory": "1MB", "size": [64, 64]}
    result = search(study(budget=budget), folder=tmp_path, evaluate=no_training)
    assert result.refused > 0
    notes = {row["note"].partition(" ")[2] for row in rows(tmp_path)}
    assert notes == {"bytes of training memory are more than 1 MB"}
    with pytest.raises(SpecError):
        search(
            study(budget=budget | {"parameters": 1}), folder=tmp_path / "b", evaluate=no_training
        )


def test_a_search_for_few_says_how_many_they_are(tmp_path):
    heard = Heard()
    few = study(budget={"parameters": 4000})
    search(few, folder=tmp_path, trials=2, evaluate=Scores(), watch=heard)
    assert heard.lines[:2] == [("started", 2, 0), ("few", 1, 8, 1)]
    assert heard.lines[-1] == ("finished", "all 1 candidates that meet the budget have been tried")
    heard = Heard()
    search(WIDE, folder=tmp_path / "wide", trials=2, evaluate=Scores(), watch=heard)
    assert "few" not in [line[0] for line in heard.lines]


def test_a_range_without_steps_is_searched(tmp_path):
    smooth = study(
        space={"total_dropout": {"low": 0.0, "high": 0.5}, "base_channels": [4, 8]},
        spec={"classes": 3, "streams": 2, "columns": "1+1"},
        budget={"parameters": 4000},
    )
    scores = Scores()
    search(smooth, folder=tmp_path, trials=3, evaluate=scores)
    assert {grid.spec.base_channels for grid in scores.grids} == {4}
    assert len({grid.spec.total_dropout for grid in scores.grids}) == 3


def test_a_candidate_that_cannot_be_trained_is_noted_and_the_search_goes_on(tmp_path):
    scores = Scores(failure("Memory ran out"), None, failure(), failure(), None, None)
    result = search(WIDE, folder=tmp_path, trials=3, evaluate=scores)
    assert (len(result.entries), result.failed) == (3, 3)
    failed = [row for row in rows(tmp_path) if row["state"] == "fail"]
    assert [row["note"] for row in failed] == [
        "Memory ran out",
        "the loss is nan",
        "the loss is nan",
    ]
    assert {row["score"] for row in failed} == {""}


def test_a_score_that_is_no_number_is_a_failure(tmp_path):
    result = search(WIDE, folder=tmp_path, trials=1, evaluate=Scores(float("nan")))
    assert (len(result.entries), result.failed) == (1, 1)
    assert rows(tmp_path)[0]["note"] == "the score is nan"


def test_failures_with_a_success_between_never_stop_it(tmp_path):
    four = [failure()] * 4
    scores = Scores(*four, None, *four, None)
    assert search(WIDE, folder=tmp_path, trials=2, evaluate=scores).failed == 8


def test_five_failures_in_a_row_stop_it_and_it_can_go_on(tmp_path):
    scores = Scores(*(failure(f"reason {i}") for i in range(9)))
    with pytest.raises(TrainingError) as caught:
        search(WIDE, folder=tmp_path, trials=2, evaluate=scores)
    assert str(caught.value) == "5 candidates in a row failed; the last: reason 4"
    assert states(tmp_path).count("fail") == 5
    scores = Scores()
    result = search(WIDE, folder=tmp_path, trials=2, evaluate=scores)
    assert (len(result.entries), result.failed) == (2, 5)
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


def test_a_trial_that_was_running_is_run_again_under_its_number_once(tmp_path):
    """Ctrl-C, and what a killed process leaves: the trial is RUNNING, two epochs reported."""

    def interrupted(grid, folder, report):
        report(1, 0.5)
        report(2, 0.6)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(WIDE, folder=tmp_path, trials=2, evaluate=interrupted)
    left = stored(tmp_path)
    assert [trial.state.name for trial in left] == ["RUNNING"]
    spec = left[0].user_attrs["spec"]
    trained = []

    def goes_on(grid, folder, report):
        trained.append((folder.name, grid.spec.plain()))
        report(2, 0.61)
        report(3, 0.7)
        return size(grid.spec)

    result = search(WIDE, folder=tmp_path, trials=2, evaluate=goes_on)
    assert trained[0] == ("00000", spec)
    assert [name for name, _ in trained].count("00000") == 1
    assert sorted(entry.number for entry in result.entries) == [0, *map(int, {trained[1][0]})]
    assert stored(tmp_path)[0].intermediate_values == {1: 0.5, 2: 0.6, 3: 0.7}
    assert search(WIDE, folder=tmp_path, trials=2, evaluate=no_training) == result


def test_a_trial_killed_before_it_had_parameters_is_run_too(tmp_path, monkeypatch):
    module = import_module("gridgen.study.driver")

    def killed(trial, space):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "suggest", killed)
        with pytest.raises(KeyboardInterrupt):
            search(WIDE, folder=tmp_path, trials=1, evaluate=no_training)
    scores = Scores()
    search(WIDE, folder=tmp_path, trials=1, evaluate=scores)
    assert scores.numbers == [0]
    assert states(tmp_path) == ["complete"]


def test_a_candidate_that_the_pruner_gives_up_is_noted_and_not_trained_again(tmp_path):
    """The median pruner wants four trials first; the fifth and later are bad from the start."""
    few = study(
        space={"streams": [2, 3], "columns": ["1+1", "2+2"], "base_channels": [2, 4]},
        budget={},
        pruner="median",
        sampler="random",
    )
    numbers = []

    def evaluate(grid, folder, report):
        numbers.append(int(folder.name))
        assert len(numbers) <= 8, "there are no more candidates than that"
        score = 0.9 if len(numbers) <= 4 else 0.1
        for epoch in range(1, 5):
            if report(epoch, score):
                raise Pruned(score)
        return score

    result = search(few, folder=tmp_path, trials=8, evaluate=evaluate)
    assert (len(result.entries), result.pruned, len(numbers)) == (4, 4, 8)
    table = rows(tmp_path)
    given_up = [row for row in table if row["state"] == "pruned" and not row["note"]]
    assert [row["score"] for row in given_up] == ["0.100000"] * 4
    assert [int(row["trial"]) for row in given_up] == numbers[4:]
    copies = [row for row in table if row["note"].startswith("same network as trial")]
    assert {row["state"] for row in copies} == {"complete", "pruned"}


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


def test_a_search_holds_its_own_lock(tmp_path):
    def evaluate(grid, folder, report):
        with pytest.raises(RunError):
            search(WIDE, folder=tmp_path, trials=2, evaluate=no_training)
        return 0.5

    assert len(search(WIDE, folder=tmp_path, trials=1, evaluate=evaluate).entries) == 1


def test_a_damaged_database_is_an_error_and_is_left_alone(tmp_path):
    search(study(), folder=tmp_path, trials=1, evaluate=Scores())
    (tmp_path / "study.db").write_text("no database\n" * 100)
    with pytest.raises(RunError) as caught:
        search(study(), folder=tmp_path, trials=2, evaluate=no_training)
    assert str(caught.value) == (
        f"{tmp_path}/study.db: not the database of a study: file is not a database; "
        "name another folder with -o"
    )
    assert (tmp_path / "study.db").read_text("utf-8") == "no database\n" * 100


@pytest.mark.parametrize("name", ["what?", "a{b}", "{}", "50%", "%3F", "a#b", "a b", "ä&=;\\'"])
def test_any_path_holds_a_database(name, tmp_path, monkeypatch):
    folder = tmp_path / name / "found"
    one = search(study(), folder=folder, trials=1, evaluate=Scores())
    assert (folder / "study.db").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
    monkeypatch.chdir(tmp_path)
    relative = Path(name, "found")
    again = search(study(), folder=relative, trials=1, evaluate=no_training)
    assert again == replace(one, folder=relative)


def test_a_path_that_is_not_utf_8_is_refused(tmp_path):
    folder = tmp_path / os.fsdecode(b"found\xff")
    with pytest.raises(RunError) as caught:
        search(study(), folder=folder, trials=1, evaluate=no_training)
    assert str(caught.value) == (
        f"{folder}/study.db: the name is not UTF-8, as the address of a study's database must be; "
        "name another folder with -o"
    )


@pytest.mark.parametrize("url", ["postgresql://me:secret@host/db", "sqlite://", "study.db"])
def test_a_storage_that_is_no_sqlite_file_is_refused(url):
    with pytest.raises(RunError) as caught:
        open_storage(url)
    scheme = url.partition(":")[0]
    assert str(caught.value) == (
        f"unsupported storage {scheme!r}: trials are stored in an SQLite file"
    )


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
            (f"data: {unknown('dataset', 'shaps', ['shapes'])}; the path of a folder works too"),
        ),
        (
            {"spec": {"classes": 2}},
            "spec.classes: 2, but the data shapes has 3; set classes: 3",
        ),
        (
            {"spec": {"classes": 3, "in_channels": 1}},
            "spec.in_channels: 1, but the data shapes has 3; set in_channels: 3",
        ),
    ],
)
def test_what_no_child_could_train_is_refused_before_the_first(changes, fact, tmp_path):
    with pytest.raises(SpecError) as caught:
        search(study(**changes), folder=tmp_path / "found")
    assert str(caught.value) == fact
    assert not (tmp_path / "found").exists()


def test_best_yaml_is_the_best_spec_and_builds(tmp_path, monkeypatch, capsys):
    scores = Scores()
    result = search(WIDE, folder=tmp_path, trials=6, evaluate=scores)
    best = max((grid.spec for grid in scores.grids), key=size)
    assert result.best == best == GridSpec.load(tmp_path / "best.yaml")
    entry = result.entries[0]
    assert (tmp_path / "best.yaml").read_text("utf-8").splitlines()[0] == (
        f"# val_iou {size(best):.4f} on shapes, {entry.parameters:,} parameters "
        f"(trial {entry.number})."
    )
    monkeypatch.chdir(tmp_path)
    assert run(["build", "best.yaml"]) == 0
    assert f"parameters  {entry.parameters:,}\n" in capsys.readouterr().out
    assert (tmp_path / "runs" / "best-gridnet.safetensors").is_file()


def test_of_equal_scores_the_smaller_network_is_better(tmp_path):
    result = search(WIDE, folder=tmp_path, trials=6, evaluate=Scores(*[0.5] * 6))
    parameters = [entry.parameters for entry in result.entries]
    assert parameters == sorted(parameters)
    assert len(set(parameters)) > 1


def test_the_table_has_a_line_for_each_trial_and_the_picture_opens(tmp_path):
    result = search(WIDE, folder=tmp_path, trials=4, evaluate=Scores())
    header = (tmp_path / "trials.csv").read_text("utf-8").splitlines()[0]
    assert header == (
        "trial,state,score,parameters,activations,macs,note,streams,columns,base_channels"
    )
    table = {int(row["trial"]): row for row in rows(tmp_path)}
    for entry in result.entries:
        row, counted = table[entry.number], count(build_grid(entry.spec), (400, 400))
        assert row["score"] == f"{entry.score:.6f}"
        assert row["parameters"] == str(counted.parameters.total)
        assert row["activations"] == str(counted.activations.total)
        assert row["macs"] == str(counted.macs.total)
        assert row["streams"] == str(entry.spec.streams)
    with Image.open(tmp_path / "scores.png") as picture:
        picture.verify()
        assert min(picture.size) > 300


def test_lists_of_lists_and_paths_are_searched(tmp_path):
    listed = study(
        space={
            "streams": {"low": 2, "high": 4, "step": 2},
            "columns": [["sub", "up"], ["sub", "sub", "up", "up"]],
            "base_channels": {"low": 2, "high": 4, "log": True},
            "units.lateral": ["residual", "bottleneck"],
            "topology": ["gridnet", None, {"drop": ["lateral_1_*"]}],
        },
        budget={},
        sampler="random",
    )
    scores = Scores()
    search(listed, folder=tmp_path, trials=12, evaluate=scores)
    specs = [grid.spec for grid in scores.grids]
    assert {spec.streams for spec in specs} == {2, 4}
    assert {spec.columns for spec in specs} == {("sub", "up"), ("sub", "sub", "up", "up")}
    assert {spec.base_channels for spec in specs} == {2, 3, 4}
    assert {spec.units.lateral for spec in specs} == {"residual", "bottleneck"}
    assert len({str(spec.topology) for spec in specs}) == 3
    again = Scores()
    search(listed, folder=tmp_path, trials=14, evaluate=again)
    assert len(again.numbers) == 2


class Heard(SearchObserver):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[object, ...]] = []

    def started(self, wanted, done):
        self.lines.append(("started", wanted, done))

    def few(self, feasible, points, networks):
        self.lines.append(("few", feasible, points, networks))

    def training(self, number, grid, parameters):
        self.lines.append(("training", number, parameters))

    def scored(self, number, epoch, score):
        self.lines.append(("scored", number, epoch, score))

    def ended(self, number, score, reason):
        self.lines.append(("ended", number, score, reason))

    def refused(self, number, reason):
        self.lines.append(("refused", number, reason))

    def finished(self, reason):
        self.lines.append(("finished", reason))


def test_it_is_told_as_it_goes(tmp_path):
    only = study(space={"streams": [2], "columns": ["1+1"], "base_channels": [4]})

    def evaluate(grid, folder, report):
        report(1, 0.25)
        return 0.5

    heard = Heard()
    search(only, folder=tmp_path / "a", trials=1, evaluate=evaluate, watch=heard)
    assert heard.lines == [
        ("started", 1, 0),
        ("training", 0, 3369),
        ("scored", 0, 1, 0.25),
        ("ended", 0, 0.5, ""),
        ("finished", ""),
    ]
    heard = Heard()
    pair = only.but(
        space={"streams": [2], "columns": ["1+1"], "base_channels": [2, 4]},
        budget={"parameters": 3368},
    )
    search(pair, folder=tmp_path / "b", trials=2, evaluate=evaluate, watch=heard)
    refusals = {line[2] for line in heard.lines if line[0] == "refused"}
    assert refusals == {"3,369 parameters are more than 3,368"}
    heard = Heard()
    with pytest.raises(KeyboardInterrupt):
        search(
            only,
            folder=tmp_path / "c",
            evaluate=Scores(failure("a\nb"), KeyboardInterrupt()),
            watch=heard,
        )
    assert ("ended", 0, None, "a") in heard.lines
    assert heard.lines[-1] == ("finished", "")


def test_the_lines_of_a_terminal_that_is_none(tmp_path, capsys):
    only = study(space={"streams": [2], "columns": ["1+1"], "base_channels": [4, 8]})
    search(
        only,
        folder=tmp_path,
        trials=1,
        evaluate=Scores(failure("Memory ran out"), 0.25),
        watch=SearchProgress("val_iou", only.space),
    )
    captured = capsys.readouterr()
    assert captured.out == ""
    first, reason, second, score = captured.err.splitlines()
    heads = [
        f"[1/1] gridnet, 2 streams, 1+1 columns, F0 = {base}, {parameters:,} parameters"
        for base, parameters in ((4, 3369), (8, 12_393))
    ]
    assert {first, second} <= set(heads)
    assert reason == "    Memory ran out"
    assert score == "    val_iou 0.250  0 s left"


def test_a_terminal_shows_the_training_in_a_last_line_that_goes(tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    only = study(space={"streams": [2], "columns": ["1+1"], "base_channels": [4]})

    def evaluate(grid, folder, report):
        report(1, 0.125)
        return 0.25

    watch = SearchProgress("val_iou", only.space)
    search(only, folder=tmp_path, trials=1, evaluate=evaluate, watch=watch)
    head = "[1/1] gridnet, 2 streams, 1+1 columns, F0 = 4, 3,369 parameters"
    told = terminal.getvalue()
    assert f"{head}  epoch 1" in told
    assert told.endswith(f"\r\x1b[1A\x1b[2K{head}  val_iou 0.250  0 s left\n")
