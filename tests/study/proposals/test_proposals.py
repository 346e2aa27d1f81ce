"""What is proposed: within the budget, never twice, the same from the same seed and trials."""

import pytest

from gridgen.errors import SpecError
from gridgen.study import SAMPLERS, Study
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.proposals.proposals import WAVE, Proposals
from gridgen.study.trials import Training, TrialRecord

TEXT = """\
data: shapes
spec: {classes: 3}
space:
  streams: [2, 3]
  columns: [1+1, 2+2]
  base_channels: {low: 2, high: 8, step: 2}
  topology: [gridnet, unet, conv-deconv]
budget: {parameters: 20000}
recipe: demo
"""
MIXED = """\
data: shapes
spec: {classes: 3, columns: 1+1}
space:
  streams: [2, 3]
  base_channels: {low: 2, high: 64, log: true}
  recipe.learning_rate: {low: 0.0001, high: 0.01, log: true}
  recipe.optimizer.name: [adam, sgd]
  recipe.optimizer.momentum: {low: 0.5, high: 0.9, when: {recipe.optimizer.name: sgd}}
budget: {parameters: 20000}
recipe: demo
"""


def proposals(text: str = TEXT, records=(), **changes) -> Proposals:
    study = Study.parse(text).but(**changes)
    made = Proposals(study, Drawing(study), study.reproducible)
    made.restore(records, {}.get)
    return made


def record(number, candidate, state="finished", curve=(), attributes=None) -> TrialRecord:
    score = candidate.costs["parameters"] / 1e5 if state == "finished" else None
    training = Training(0, "failed" if state == "infeasible" else state, score=score, curve=curve)
    return TrialRecord(
        number, "searched", state, candidate, (training,), attributes=attributes or {}
    )


def run(proposing: Proposals, first: int, last: int, state=lambda number: "finished"):
    """Propose and tell, one after the other; the records."""
    records = []
    for number in range(first, last):
        proposal = proposing.propose()
        if proposal is None:
            break
        proposing.begun(number, proposal.candidate)
        attributes = proposal.attributes
        records.append(record(number, proposal.candidate, state(number), attributes=attributes))
        proposing.ended(records[-1])
    return records


def end_in_turn(number: int) -> str:
    return ("finished", "pruned", "failed", "infeasible")[number % 4]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_proposal_meets_the_budget_and_none_comes_twice(sampler):
    found = run(proposals(sampler=sampler), 0, 60, end_in_turn)
    keys = [each.candidate.key for each in found]
    assert len(set(keys)) == len(keys)
    assert all(each.candidate.costs["parameters"] <= 20_000 for each in found)
    drawing = proposals().drawing
    assert len(found) == drawing.tables[0].networks


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "grid"])
def test_conditions_and_ranges_without_steps_are_sampled(sampler):
    found = run(proposals(MIXED, sampler=sampler), 0, 16, end_in_turn)
    assert len(found) == 16
    for each in found:
        params = each.candidate.params
        assert ("recipe.optimizer.momentum" in params) == (params["recipe.optimizer.name"] == "sgd")
        assert each.candidate.recipe["learning_rate"] == params["recipe.learning_rate"]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_that_goes_on_proposes_what_it_would_have(sampler):
    whole = run(proposals(sampler=sampler, budget={}), 0, 40, end_in_turn)
    again = proposals(sampler=sampler, records=whole[:21], budget={})
    assert run(again, 21, 40, end_in_turn) == whole[21:]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
@pytest.mark.parametrize("pruner", ["none", "median", "halving", "hyperband"])
def test_a_reproducible_search_proposes_the_same_however_trials_end(sampler, pruner):
    def trials(at_once: int, last: int = 2 * WAVE + 3):
        made = proposals(sampler=sampler, pruner=pruner, reproducible=True)
        begun, running, answers = [], [], {}
        while len(begun) < last or running:
            while len(running) < at_once and len(begun) < last and made.ready:
                proposal = made.propose()
                made.begun(len(begun), proposal.candidate)
                running.append(len(begun))
                begun.append(proposal.candidate)
            # The one that began last ends first, as far as several run.
            number = running.pop()
            curve = [(epoch, begun[number].costs["parameters"] * epoch) for epoch in range(1, 9)]
            answers[number] = [made.scored(number, *each) for each in curve]
            made.ended(record(number, begun[number], curve=tuple(curve)))
        return begun, answers

    alone = trials(1)
    assert trials(3) == alone
    assert trials(WAVE) == alone


def test_a_reproducible_search_that_goes_on_within_a_wave_proposes_what_it_would_have():
    whole = run(proposals(reproducible=True), 0, 2 * WAVE)
    for kept in (WAVE - 1, WAVE, WAVE + 3):
        again = proposals(reproducible=True, records=whole[:kept])
        assert run(again, kept, 2 * WAVE) == whole[kept:]


def test_a_pruner_gives_up_what_is_below_the_others():
    made = proposals(pruner="median")
    for number in range(5):
        made.begun(number, made.propose().candidate)
    for number in range(4):
        for epoch in range(1, 9):
            assert not made.scored(number, epoch, 0.5 + epoch / 100)
        made.ended(record(number, made.drawing.next(lambda key: False)))
    assert not made.scored(4, 1, 0.1)
    assert any(made.scored(4, epoch, 0.1) for epoch in range(2, 9))


def test_trials_of_another_space_are_known_and_not_shown_to_the_sampler():
    other = run(proposals(MIXED), 0, 3)
    made = proposals(records=other)
    assert made.known == {each.candidate.key for each in other}
    assert not made.seen.optuna.trials


def test_a_method_that_needs_a_package_says_so(monkeypatch):
    monkeypatch.setattr("gridgen.study.methods.find_spec", lambda name: None)
    with pytest.raises(SpecError, match="sampler: gp needs scipy; pip install 'gridgen\\[gp\\]'"):
        Study.parse(TEXT).but(sampler="gp")
