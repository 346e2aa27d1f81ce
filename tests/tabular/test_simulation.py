"""Simulated searches."""

import numpy as np
import pytest

from gridgen.errors import UsageError
from gridgen.study.proposals.seen import SeenTrials
from gridgen.tabular import simulation
from gridgen.tabular.encodings import ENCODINGS, without_dead_ends
from gridgen.tabular.simulation import simulate_searches
from tests.tabular.made import made_up

quiet = made_up(noise=0.0)


@pytest.mark.parametrize("sampler", ["random", "grid", "tpe", "nsga2"])
def test_no_search_trains_a_topology_twice(sampler):
    found = simulate_searches(quiet, sampler, searches=3, trials=40)
    assert all(len(set(tried)) == 40 for tried in found.tried)
    assert (found.spent == np.arange(1, 41)).all()


@pytest.mark.parametrize("sampler", ["random", "nsga2"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_search_of_all_finds_the_best(encoding, sampler):
    found = simulate_searches(quiet, sampler, encoding=encoding, searches=1, trials=len(quiet))
    assert found.regret[0, -1] == 0
    assert found.best == quiet.means().max()


def test_switches_at_random_favour_those_that_many_come_down_to():
    # The smallest network, number 0, is what is left of more sets of connections than any other.
    asked = {"searches": 400, "trials": 1, "workers": 0}
    times = {
        each: (simulate_searches(quiet, encoding=each, **asked).tried == 0).sum()
        for each in ENCODINGS
    }
    assert times["connections"] > 15 > 10 > times["number"]


def test_without_noise_the_regret_only_falls():
    assert (np.diff(simulate_searches(quiet, searches=20).regret, axis=1) <= 0).all()


def test_the_judge_is_the_seed_that_the_search_has_not_seen():
    noisy = made_up(noise=0.05)
    found = simulate_searches(noisy, searches=2, trials=279)
    scores = noisy.array("val")[:, :, -1]
    # Search 0 sees seed 0: the best of that, judged by seed 1, is what it names in the end.
    assert found.quality[0, -1] == scores[scores[:, 0].argmax(), 1]
    assert found.best.tolist() == [scores[:, 1].max(), scores[:, 0].max()]
    assert (found.regret[:, -1] > 0.005).all()


def test_the_same_seed_gives_the_same_searches_and_another_gives_others():
    first, again, other = (
        simulate_searches(quiet, searches=5, trials=9, seed=s) for s in (0, 0, 1)
    )
    assert (first.tried == again.tried).all()
    assert (first.tried != other.tried).any()


@pytest.mark.parametrize("pruner", ["halving", "hyperband"])
def test_halving_spends_less_and_names_the_best_of_those_that_came_farthest(pruner):
    whole, halved = (
        simulate_searches(quiet, pruner=p, searches=50, trials=100) for p in ("none", pruner)
    )
    assert halved.spent[:, -1].max() < 0.8 * whole.spent[0, -1]
    assert halved.regret_after(20).mean() < whole.regret_after(20).mean()
    assert np.isnan(halved.regret_after(0.1)).all()


def test_the_top_is_reached_later_by_what_is_slower():
    found = simulate_searches(quiet, searches=300, trials=279)
    best = int((quiet.means() >= found.threshold[0]).sum())
    # The first of n of 279, drawn one after the other, comes at 280 / (n + 1) on average.
    assert found.trainings_to_the_top.mean() == pytest.approx(280 / (best + 1), rel=0.2)
    by_forty = (found.trainings_to_the_top <= 40).mean()
    assert found.in_the_top_after(40).mean() == by_forty  # without noise it stays there
    short = simulate_searches(quiet, searches=50, trials=1)
    assert np.isinf(short.trainings_to_the_top).mean() > 0.9


def test_the_score_on_one_split_is_judged_on_the_other():
    found = simulate_searches(quiet, searches=2, judged_by="holdout")
    assert (found.best == quiet.means("holdout").max()).all()
    again = simulate_searches(quiet, searches=2).judged_by(quiet, "holdout")
    assert (again.regret == found.regret).all()
    assert (again.threshold == found.threshold).all()


def test_several_processes_find_what_one_does():
    done = []
    asked = {"searches": 5, "trials": 20, "on_progress": lambda *now: done.append(now)}
    alone, shared = (simulate_searches(quiet, "tpe", workers=n, **asked) for n in (0, 2))
    assert (alone.tried == shared.tried).all()
    assert (alone.regret == shared.regret).all()
    assert done == [(n, 5) for n in range(1, 6)] * 2


def test_nsga2_goes_on_to_other_generations_by_connections_too(monkeypatch):
    generations = []

    class Noting(SeenTrials):
        def ask(self, sampler):
            noted = super().ask(sampler)
            generations.extend(v for k, v in noted.items() if k.endswith("generation"))
            return noted

    monkeypatch.setattr(simulation, "SeenTrials", Noting)
    simulate_searches(quiet, "nsga2", encoding="connections", searches=1, trials=60, workers=0)
    assert max(generations) >= 2


def test_at_the_end_of_halving_one_training_is_whole_however_few_there_are():
    found = simulate_searches(quiet, pruner="halving", searches=5, trials=2)
    assert (found.spent[:, -1] >= 1).all()


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_prefilter_finds_sooner_what_costs_tell(sampler):
    asked = {"searches": 8, "trials": 15}
    plain, chosen = (
        simulate_searches(quiet, sampler, prefilter=each, **asked).regret_after(15).mean()
        for each in ("none", "costs")
    )
    assert chosen < plain / 2


def test_switches_stand_for_what_is_left_without_dead_ends():
    encoding, names = ENCODINGS["connections"](quiet), list(quiet)
    for number in (0, 100, 278):
        point = encoding.point(number)
        assert encoding.number(point) == number
        kept = {name for name, switched_on in point.items() if switched_on}
        assert kept == set(quiet[names[number]].connections)
    nothing = dict.fromkeys(encoding.space.named, False)
    alone = nothing | dict.fromkeys(quiet[names[0]].connections, True)
    assert encoding.number(alone | {"sub_1_0": True}) == 0
    assert encoding.number(nothing) is None
    assert not without_dead_ends(frozenset())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"sampler": "tpee"}, "did you mean 'tpe'"),
        ({"pruner": "half"}, "unknown pruner 'half'"),
        ({"pruner": "median"}, "pruner median is not simulated"),
        ({"sampler": "tpe", "pruner": "halving"}, "with the sampler random"),
        ({"prefilter": "costs", "pruner": "halving"}, "and no prefilter; leave the pruner out"),
        ({"encoding": "connections", "pruner": "halving"}, "which sees the number, and no pref"),
        ({"encoding": "connections", "sampler": "grid"}, "leave prefilter and encoding out"),
        ({"prefilter": "cost"}, "did you mean 'costs'"),
        ({"prefilter": "costs", "sampler": "grid"}, "sampler grid trains all in their order"),
        ({"encoding": "names"}, "unknown encoding 'names'"),
        ({"workers": -1}, "workers is -1; give 0 at least"),
        ({"searches": 0}, "searches is 0; give 1 at least"),
        ({"trials": 280}, "trials is 280; give 1 to 279"),
    ],
)
def test_what_cannot_be_simulated_is_refused(asked, said):
    with pytest.raises(UsageError, match=said):
        simulate_searches(quiet, **asked)


def test_more_trainings_than_were_spent_are_refused():
    found = simulate_searches(quiet, searches=2, trials=5)
    assert "searches 2" in repr(found)
    with pytest.raises(UsageError, match="the searches end after 5; give that at most"):
        found.regret_after(6)
