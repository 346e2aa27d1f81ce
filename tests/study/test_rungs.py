"""Rungs of successive halving, held against the algorithm as it was published."""

from math import nan
from random import Random

import pytest

from gridgen.study import PRUNERS
from gridgen.study.rungs import Halving, Rungs

HALVINGS = [each.halving for each in PRUNERS.values() if each.halving]
LENGTHS = [(24, 2), (50, 5), (64, 1), (100, 7), (9, 3), (1900, 1), (3, 2), (1, 1)]


@pytest.mark.parametrize("halving", HALVINGS)
@pytest.mark.parametrize(("epochs", "every"), LENGTHS)
def test_rungs_are_validated_epochs_before_the_last(halving, epochs, every):
    rungs = halving.rungs(epochs, every)
    assert list(rungs) == sorted(set(rungs))
    assert all(rung % every == 0 and 0 < rung < epochs for rung in rungs)
    assert bool(rungs) == (epochs >= halving.reduction * every)


def test_a_bracket_is_the_more_frequent_the_more_of_it_is_paused():
    """Sizes of Hyperband's table 1: R = 81, eta = 3."""
    ladders = Halving(3, brackets=True).ladders(81, 1)
    assert {len(each): ladders.count(each) for each in ladders} == {4: 81, 3: 34, 2: 15, 1: 8, 0: 5}
    assert {each[:1] for each in ladders if each} == {(1,), (3,), (9,), (27,)}
    # A short search has all of them.
    assert {len(each) for each in ladders[:20]} == {4, 3, 2, 1, 0}


def job(reached: list[dict[int, float]], promoted: list[set[int]], eta: int) -> int | None:
    """The training that `get_job` of algorithm 2 promotes; None where it draws a new one."""
    for rung in reversed(range(len(reached))):
        best = sorted(reached[rung], key=lambda number: (-reached[rung][number], number))
        candidates = best[: len(reached[rung]) // eta]
        promotable = [number for number in candidates if number not in promoted[rung]]
        if promotable:
            promoted[rung].add(promotable[0])
            return promotable[0]
    return None


@pytest.mark.parametrize("seed", range(20))
def test_what_goes_on_is_what_the_published_algorithm_promotes(seed):
    random = Random(seed)
    eta, ladder = random.choice([(2, (1, 2, 4, 8)), (3, (2, 7)), (4, (3,))])
    rungs = Rungs(eta, (ladder,))
    reached: list[dict[int, float]] = [{} for _ in ladder]
    promoted: list[set[int]] = [set() for _ in ladder]
    at_work: dict[int, int] = {}
    begun, went_on = 0, 0
    for _ in range(300):
        while len(at_work) < 5:
            found = job(reached, promoted, eta)
            assert rungs.promotable()[:1] == ([] if found is None else [found])
            if found is None:
                at_work[begun] = 0
                begun += 1
                continue
            rungs.promote(found)
            went_on += 1
            at_work[found] = 1 + max(n for n, each in enumerate(reached) if found in each)
        number = random.choice(sorted(at_work))
        rung = at_work.pop(number)
        if rung < len(ladder):
            # Equal scores occur too.
            reached[rung][number] = score = random.randrange(50) / 50
            for epoch in range(ladder[rung - 1] + 1 if rung else 1, ladder[rung]):
                assert not rungs.reached(number, epoch, 2.0)
            assert rungs.reached(number, ladder[rung], score)
            assert rungs.paused(number)
            assert rungs.epoch(number) == ladder[rung]
    assert went_on > 20


def test_what_went_past_a_rung_was_promoted_there():
    curves = {n: [(epoch, n / 10 + epoch / 100) for epoch in range(1, 9)] for n in range(8)}
    rungs, again = Rungs(2, ((1, 4),)), Rungs(2, ((1, 4),))
    for number, curve in curves.items():
        rungs.reached(number, *curve[0])
    for number in rungs.promotable():
        rungs.promote(number)
        rungs.reached(number, *curves[number][3])
    for number in range(8):
        again.take_up(number, curves[number][: 4 if number > 3 else 1])
    assert rungs.promotable() == again.promotable() == [7, 6]
    # And to take it up twice changes nothing.
    again.take_up(5, curves[5][:4])
    assert again.paused(5)
    again.take_up(5, curves[5])
    assert not again.paused(5)


def test_a_validation_beyond_two_rungs_counts_at_both():
    rungs = Rungs(2, ((1, 4),))
    assert rungs.reached(0, 5, 0.5)
    assert rungs.reached(1, 5, 0.4)
    assert rungs.promotable() == [0]
    rungs.promote(0)
    assert rungs.paused(0)
    assert rungs.promotable() == []
    assert rungs.promotable(least=1) == [0]


def test_a_score_that_is_no_number_is_the_last():
    rungs = Rungs(2, ((1,),))
    for number, score in enumerate((nan, -5.0)):
        rungs.reached(number, 1, score)
    assert rungs.promotable() == [1]


def test_brackets_are_compared_within_themselves():
    rungs = Rungs(2, ((1, 3), (3,)))
    for number in range(4):
        rungs.reached(number, 1, number)
        rungs.reached(number, 3, number)
    # Numbers 0 and 2 are of one bracket, 1 and 3 of the other.
    assert sorted(rungs.promotable()) == [2, 3]
