"""Scores that are predicted from exact costs, and candidates that are chosen by them."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import multivariate_normal, norm
from study.fakes import study

from gridgen.errors import SpecError
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.proposals.forecast import (
    LEAST,
    Forecast,
    GaussianProcess,
    PredictedScore,
    likeliest,
)
from gridgen.study.proposals.proposals import Proposals
from gridgen.study.trials import Training, TrialRecord

AGAINST = {"macs": "minimize"}
SPACE = {
    "streams": [2, 3],
    "columns": ["1+1", "2+2"],
    "base_channels": {"low": 2, "high": 40, "step": 2},
}


def asked(**fields):
    return study(space=SPACE, budget={}, sampler="random", prefilter="costs", **fields)


def finished(candidate, score, number=0, state="finished"):
    return TrialRecord(number, "searched", state, candidate, (Training(0, state, score=score),))


def drawn(many=20):
    made = Proposals(asked(), Drawing(asked()))
    found = []
    for number in range(many):
        found.append(made.propose().candidate)
        made.begun(number, found[-1])
    return found


def rising(candidate) -> float:
    return float(np.log(candidate.costs["parameters"])) / 20


def taught(candidates, against=AGAINST, score=rising):
    made = Forecast(against)
    for each in candidates:
        made.learn(each, score(each))
    return made


def alike(first, second, length):
    apart = ((first[:, None] - second[None]) ** 2).sum(-1)
    return np.exp(-apart / (2 * length**2))


@pytest.mark.parametrize("length", [1.0, 2.0])
@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_a_process_tells_what_the_closed_form_does(length, noise):
    random = np.random.default_rng(0)
    points, scores = random.normal(size=(12, 3)), random.normal(size=12)
    process = GaussianProcess(5 + 7 * points, 0.4 + 0.1 * scores, length, noise)
    # Written down for points and scores of mean 0 and variance 1, by the inverse.
    centred = (points - points.mean(0)) / points.std(0)
    scaled = (scores - scores.mean()) / scores.std()
    inverse = np.linalg.inv(alike(centred, centred, length) + noise * np.eye(12))
    place = random.normal(size=3)
    beside = alike((place[None] - points.mean(0)) / points.std(0), centred, length)[0]
    mean = 0.4 + 0.1 * (scores.mean() + scores.std() * beside @ inverse @ scaled)
    deviation = 0.1 * scores.std() * np.sqrt(1 - beside @ inverse @ beside)
    assert process.predict(5 + 7 * place) == pytest.approx((mean, deviation))
    covariance = alike(centred, centred, length) + noise * np.eye(12)
    expected = multivariate_normal.logpdf(scaled, np.zeros(12), covariance)
    assert process.likelihood - 6 * np.log(2 * np.pi) == pytest.approx(expected)


def test_the_likeliest_process_has_little_noise_where_costs_tell_all():
    points = np.linspace(0, 1, 16)[:, None]
    smooth, random = points[:, 0] ** 2, np.random.default_rng(0)
    assert likeliest(points, smooth).noise == 0.1
    assert likeliest(points, random.normal(size=16)).noise == 1.0


@given(st.floats(-2, 2), st.floats(0.01, 2), st.floats(-2, 2))
def test_the_expected_improvement_is_that_of_a_normal_distribution(mean, deviation, best):
    apart = (mean - best) / deviation
    expected = deviation * (apart * norm.cdf(apart) + norm.pdf(apart))
    found = PredictedScore(mean, deviation).improvement(best)
    assert found == pytest.approx(expected, abs=1e-12)
    assert PredictedScore(mean, 0.0).improvement(best) == max(0.0, mean - best)


def test_it_is_learnt_that_more_parameters_score_more():
    *known, one, other = sorted(drawn(), key=lambda each: each.costs["parameters"])
    made = taught([*known[::2], one])
    assert made.ready
    assert made.predict(other).mean > made.predict(known[1]).mean
    assert made.predict(one).mean == pytest.approx(rising(one), abs=0.05)


def test_what_as_cheap_a_candidate_beats_promises_least():
    found = sorted(drawn(), key=lambda each: each.costs["macs"])
    made = taught(found[:10])
    before = made.promise(found[12])
    made.learn(found[0], 2.0)
    assert made.promise(found[12]) < before
    # Nothing is as cheap as the cheapest, but nothing else is held against it either.
    assert taught(found[5:15]).promise(found[0]) > 0


def test_with_one_objective_all_are_held_against_the_best():
    found = drawn()
    made = taught(found[:10], against={})
    best = max(map(rising, found[:10]))
    assert made.promise(found[12]) == made.predict(found[12]).improvement(best)


def test_of_what_was_not_trained_to_the_end_nothing_is_learnt():
    for state, ready in (("finished", True), ("pruned", False), ("failed", False)):
        made = Proposals(asked(), Drawing(asked()))
        for number, each in enumerate(drawn()):
            made.begun(number, each)
            made.ended(finished(each, 0.5, number, state))
        assert made.forecast.ready is ready


def test_equal_costs_and_equal_scores_predict_that_score():
    made = taught(drawn(1) * LEAST, score=lambda each: 0.3)
    assert made.predict(drawn(1)[0]).mean == pytest.approx(0.3)


def proposed(many, restored=(), **fields):
    """What a search proposes that takes up some records."""
    made = Proposals(asked(**fields), Drawing(asked(**fields)), fields.get("reproducible", False))
    made.restore(restored, {}.get)
    records = [*restored]
    for number in range(len(records), many):
        proposal = made.propose()
        made.begun(number, proposal.candidate)
        records.append(finished(proposal.candidate, rising(proposal.candidate), number))
        made.ended(records[-1])
    return records


def keys(records):
    return [each.candidate.key for each in records]


@pytest.mark.parametrize("reproducible", [False, True])
def test_a_search_that_goes_on_proposes_what_it_would_have(reproducible):
    whole = proposed(24, reproducible=reproducible)
    again = proposed(24, restored=whole[:11], reproducible=reproducible)
    assert keys(again) == keys(whole)
    assert len({*keys(whole)}) == 24


@pytest.mark.parametrize("seed", range(4))
def test_scores_that_costs_predict_are_found_at_once(seed):
    """Of 80 candidates the largest scores most, which by chance is among eight in a tenth of the
    searches.
    """
    best = max(map(rising, every(Drawing(asked()))))
    found = [rising(each.candidate) for each in proposed(LEAST + 3, seed=seed)]
    assert max(found) == best


def test_candidates_in_training_are_no_reason_to_train_their_twins():
    found = sorted(drawn(), key=lambda each: each.costs["parameters"])
    made = taught(found[:10])
    promised, other = made.promise(found[-1]), made.promise(found[12])
    made.begin(found[-1])
    assert made.promise(found[-1]) < promised / 2
    made.learn(found[-1], None)
    assert (made.promise(found[-1]), made.promise(found[12])) == (promised, other)


def test_the_recipe_is_the_samplers_choice():
    """Costs say nothing of it, so that drawn anew it would be drawn at random."""
    fields = {"space": {**SPACE, "recipe.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}}
    rates = {}
    for prefilter in (None, "costs"):
        both = asked(seed=3).but(**fields, prefilter=prefilter, sampler="tpe")
        made = Proposals(both, Drawing(both))
        rates[prefilter] = [rate_of(made, number) for number in range(40)]
    spread = {name: np.std(found[20:]) for name, found in rates.items()}
    assert spread["costs"] < 1.3 * spread[None]


def rate_of(made, number) -> float:
    """The logarithm of the rate of the next candidate, which is best at a hundredth."""
    candidate = made.propose().candidate
    rate = float(np.log10(candidate.params["recipe.learning_rate"]))
    made.begun(number, candidate)
    made.ended(finished(candidate, rising(candidate) - abs(rate + 2), number))
    return rate


def every(drawing):
    known = set()
    while (each := drawing.next(known.__contains__)) is not None:
        known.add(each.key)
        yield each


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sampler": "grid"}, "sampler grid trains every candidate; remove prefilter"),
        ({"against": ["val_iou.circle"]}, "remove prefilter, or val_iou.circle from against"),
        ({"latency": {"size": "64x64"}}, "measured of many candidates a trial; remove prefilter"),
    ],
)
def test_studies_that_cannot_choose_by_costs_are_refused(fields, said):
    with pytest.raises(SpecError, match=said) as caught:
        asked().but(**fields)
    assert str(caught.value).startswith("prefilter: ")
