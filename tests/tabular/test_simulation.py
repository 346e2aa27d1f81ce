"""Simulated searches."""

import numpy as np
import pytest

from gridgen import build_grid
from gridgen.errors import UsageError
from gridgen.tabular import simulate_searches
from gridgen.tabular.encodings import ENCODINGS, without_dead_ends
from gridgen.tabular.table import SPEC
from tests.tabular.made import made_up

quiet = made_up(noise=0.0)


@pytest.mark.parametrize("sampler", ["random", "grid", "tpe", "nsga2"])
def test_no_search_trains_a_topology_twice(sampler):
    found = simulate_searches(quiet, sampler, searches=3, trials=40)
    assert all(len(set(tried)) == 40 for tried in found.tried)
    assert (found.spent == np.arange(1, 41)).all()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_search_of_all_finds_the_best(encoding):
    found = simulate_searches(quiet, "nsga2", encoding=encoding, searches=1, trials=len(quiet))
    assert found.regret[0, -1] == 0
    assert found.best == quiet.means().max()


def test_without_noise_the_regret_only_falls():
    assert (np.diff(simulate_searches(quiet, searches=20).regret, axis=1) <= 0).all()


def test_what_is_named_is_judged_by_all_seeds_and_noise_costs():
    noisy = simulate_searches(made_up(noise=0.05), searches=200, trials=279)
    assert noisy.regret[:, -1].mean() > 0.005
    assert noisy.regret[:, -1].min() >= 0


def test_the_same_seed_gives_the_same_searches_and_another_gives_others():
    first, again, other = (
        simulate_searches(quiet, searches=5, trials=9, seed=s) for s in (0, 0, 1)
    )
    assert (first.tried == again.tried).all()
    assert (first.tried != other.tried).any()


def test_halving_spends_less_and_names_the_best_of_those_that_came_farthest():
    whole, halved = (
        simulate_searches(quiet, pruner=p, searches=50, trials=100) for p in ("none", "halving")
    )
    assert halved.spent[:, -1].max() < 0.6 * whole.spent[0, -1]
    assert halved.regret_after(20).mean() < whole.regret_after(20).mean()
    assert np.isnan(halved.regret_after(0.1)).all()


def test_the_top_is_reached_later_by_what_is_slower():
    found = simulate_searches(quiet, searches=300, trials=279)
    best = int((quiet.means() >= found.threshold).sum())
    # The first of n of 279, drawn one after the other, comes at 280 / (n + 1) on average.
    assert found.trainings_to_the_top.mean() == pytest.approx(280 / (best + 1), rel=0.2)
    assert (
        np.isinf(simulate_searches(quiet, searches=50, trials=1).trainings_to_the_top).mean() > 0.9
    )


def test_the_score_on_one_split_is_judged_on_the_other():
    found = simulate_searches(quiet, searches=2, judged_by="holdout")
    assert found.best == quiet.means("holdout").max()


def test_switches_stand_for_what_is_left_without_dead_ends():
    encoding, names = ENCODINGS["connections"](quiet), list(quiet)
    for place in (0, 100, 278):
        point = encoding.point(place)
        assert encoding.place(point) == place
        assert {name for name, kept in point.items() if kept} == set(
            quiet[names[place]].connections
        )
    alone = dict.fromkeys(encoding.space, False) | dict.fromkeys(quiet[names[0]].connections, True)
    assert encoding.place(alone | {"sub_1_0": True}) == 0
    assert encoding.place(dict.fromkeys(encoding.space, False)) is None
    assert not without_dead_ends(build_grid(SPEC), frozenset())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"sampler": "tpee"}, "did you mean 'tpe'"),
        ({"pruner": "half"}, "unknown pruner 'half'"),
        ({"pruner": "median"}, "pruner median is not simulated"),
        ({"sampler": "tpe", "pruner": "halving"}, "with the sampler random"),
        ({"encoding": "names"}, "unknown encoding 'names'"),
        ({"searches": 0}, "searches is 0; give 1 at least"),
        ({"trials": 280}, "trials is 280; give 1 to 279"),
    ],
)
def test_what_cannot_be_simulated_is_refused(asked, said):
    with pytest.raises(UsageError, match=said):
        simulate_searches(quiet, **asked)
