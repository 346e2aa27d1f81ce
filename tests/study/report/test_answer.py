"""The first sentence of an answer, the result, and what is told while a search runs."""

from pathlib import Path

import pytest

from gridgen.study.report.answer import SearchAnswer
from gridgen.study.report.observer import SearchObserver, SearchProgress
from gridgen.study.report.result import Result
from gridgen.study.trials import Candidate
from tests.study.report.made import ASKED, candidate, record, study, training

GRID = candidate("gridnet")
UNET = Candidate("the widest U-Net", {}, GRID.network, {}, GRID.costs, "unet")
LOW, HIGH, NEAR = (0.390, 0.400, 0.404), (0.490, 0.500, 0.504), (0.392, 0.401, 0.408)


def answer(*records) -> SearchAnswer:
    return SearchAnswer.of(ASKED, records)


def held_against(scores, baseline=LOW) -> str:
    """The headline where both were trained again, with these scores."""
    return answer(
        record(0, LOW, "baseline", made=UNET),
        record(1, HIGH, made=GRID),
        record(2, baseline, "confirmation", of=0, made=UNET),
        record(3, scores, "confirmation", of=1, made=GRID),
    ).headline


def test_search_does_not_beat_what_has_no_fresh_scores():
    other = Candidate("another", {}, GRID.network, {}, GRID.costs, "another")
    told = answer(
        record(0, LOW, "baseline", made=UNET),
        record(1, HIGH, made=GRID),
        record(2, LOW, "baseline", made=other),
        record(3, LOW, "confirmation", of=0, made=UNET),
        record(4, HIGH, "confirmation", of=1, made=GRID),
    ).headline
    fact = "another has no scores of fresh seeds"
    assert told == f"Search is not shown to beat the baseline: {fact}."


def test_search_beats_the_baseline_where_fresh_seeds_say_so():
    assert held_against(HIGH).startswith(
        "Search beats the baseline: gridnet (trial 1) has 0.4980 ± 0.0072, the widest U-Net "
        "has 0.3980 ± 0.0072: difference 0.1000 ("
    )


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [
        (NEAR, "Search is not shown to beat the baseline: "),
        (LOW, "Search does not beat the baseline: "),
        ((0.29, 0.30, 0.304), "Search does worse than the baseline: "),
        ((0.5,), "Search is not shown to beat the baseline: "),
    ],
)
def test_what_does_not_beat_the_baseline_is_the_first_sentence(scores, verdict):
    assert held_against(scores).startswith(verdict)


@pytest.mark.parametrize(
    ("scores", "verdict"), [(HIGH, "is not shown to beat"), (LOW, "does not beat")]
)
def test_without_fresh_seeds_no_difference_is_claimed(scores, verdict):
    found = answer(record(0, LOW, "baseline", made=UNET), record(1, scores, made=GRID))
    assert found.headline.startswith(
        f"Search {verdict} the baseline: in the search itself gridnet "
    )
    assert found.headline.endswith(
        "Nothing was confirmed with fresh seeds, so no difference is claimed."
    )
    assert not found.comparisons


def test_scores_that_chose_a_candidate_are_in_no_interval():
    found = answer(
        record(0, LOW, "baseline", made=UNET),
        record(1, HIGH, made=GRID),
        record(2, NEAR, "confirmation", of=1, made=GRID),
    )
    assert not found.comparisons
    found = answer(*study(confirmed=True))
    confirmed = {score for each in study() if each.role == "confirmation" for score in each.scores}
    assert {s for each in found.comparisons for s in each.candidate.scores} <= confirmed


def test_without_a_baseline_or_any_training_that_is_said():
    assert answer(record(1, HIGH, made=GRID)).headline == (
        "No baseline was trained to hold the best against: gridnet (trial 1) has 0.4980 ± 0.0072."
    )
    assert answer(record(1, state="failed")).headline.startswith("No candidate was trained")


def test_confirmed_without_a_baseline_it_is_told_what_is_missing():
    records = record(1, HIGH, made=GRID), record(2, LOW, "confirmation", of=1, made=GRID)
    found = answer(*records)
    assert found.headline == (
        "No baseline was trained to hold the best against: with fresh seeds gridnet (trial 1) has "
        "0.3980 ± 0.0072."
    )
    assert found.sentences == [
        "No baseline was trained with fresh seeds to compare with, so no difference is claimed."
    ]


def test_of_random_baselines_the_best_counts():
    drawn = [record(n, (0.4 + n / 100,), "baseline", made=candidate(streams=2)) for n in range(3)]
    found = answer(record(9, LOW, "baseline", made=UNET), *drawn)
    assert [each.number for each in found.baselines] == [2, 9]


def test_search_has_to_beat_every_baseline():
    drawn = candidate("random", streams=2)
    found = answer(
        record(0, LOW, "baseline", made=UNET),
        record(1, HIGH, "baseline", made=drawn),
        record(2, HIGH, made=GRID),
        record(3, LOW, "confirmation", of=0, made=UNET),
        record(4, HIGH, "confirmation", of=1, made=drawn),
        record(5, HIGH, "confirmation", of=2, made=GRID),
    )
    assert found.headline.startswith("Search does not beat the baseline: gridnet (trial 2)")
    assert "random has 0.4980" in found.headline


def test_fresh_seeds_decide_which_is_the_best():
    records = (
        record(0, LOW, "baseline", made=UNET),
        record(1, HIGH, made=GRID),
        record(2, NEAR, made=candidate(base_channels=8)),
        record(3, LOW, made=candidate(base_channels=6)),
        record(4, LOW, "confirmation", of=0, made=UNET),
        record(5, LOW, "confirmation", of=1, made=GRID),
        record(6, HIGH, "confirmation", of=2, made=candidate(base_channels=8)),
    )
    found = answer(*records)
    assert [each.number for each in found.entries] == [2, 1, 3]
    result = Result(Path("runs"), ASKED, records)
    assert "fresh seeds 0.49" in dict(result.rows())["best"]


def test_of_equal_scores_the_smaller_network_is_the_best():
    wide = candidate(base_channels=8)
    found = answer(record(1, HIGH, made=wide), record(2, HIGH, made=GRID))
    assert found.best.number == 2


def test_a_result_shows_the_best_and_the_numbers(tmp_path):
    result = Result(tmp_path, ASKED, tuple(study()))
    assert result.best is result.entries[0].candidate.network
    assert sum(result.numbers.values()) == 20 + 168
    assert dict(result.rows())["baseline"].startswith("U-Net, 3 streams")
    assert [row[0] for row in result.table()][-1] == "baseline"
    assert len({len(row) for row in result.table()}) == 1
    assert repr(Result(tmp_path, ASKED, ())) == "Result(refused 168)"


def lines(capsys, act) -> list[str]:
    watch = SearchProgress(ASKED)
    act(watch)
    return capsys.readouterr().err.splitlines()


def test_a_log_tells_beginnings_ends_the_best_and_the_time_left(capsys):
    def act(watch: SearchObserver) -> None:
        watch.started(4, 1, places=2)
        watch.noted("9 of 12 candidates meet the budget")
        watch.phase("search", 4, done=1)
        watch.refused("parameters are more than 130,000", 12)
        watch.refused("no grid")
        watch.begun(1, 0, GRID, 2)
        watch.scored(1, 0, 1, 0.25)
        watch.ended(record(1, HIGH, made=GRID))
        watch.begun(2, 0, GRID, 5)
        watch.ended(record(2, state="failed", reason="killed\nTraceback", made=GRID))
        watch.finished("all 4 candidates have been tried")

    assert lines(capsys, act) == [
        "1 of 4 done before",
        "9 of 12 candidates meet the budget",
        "search: 3 to go",
        "refused 13 without training, 12 of them: parameters are more than 130,000",
        "trial 1, seed 0 begins: gridnet",
        "trial 1: val_iou 0.4980 ± 0.0072; best 0.4980 (trial 1), 2 of 4 done, 2:03 left",
        "trial 2, seed 0 begins: gridnet",
        "trial 2: failed: killed; best 0.4980 (trial 1), 2 of 4 done, 2:03 left",
        "all 4 candidates have been tried",
    ]


def test_the_best_so_far_is_that_of_earlier_starts_too(capsys):
    def act(watch: SearchObserver) -> None:
        before = [record(1, HIGH, made=GRID), record(2, (0.7,), role="baseline", made=GRID)]
        watch.started(4, 1)
        watch.taken_up(before)
        watch.ended(record(3, (0.25,), made=GRID))

    assert "best 0.4980 (trial 1)" in lines(capsys, act)[-1]


def test_few_refusals_are_told_at_the_end_of_a_part(capsys):
    def act(watch: SearchObserver) -> None:
        watch.started(4, 0)
        for number in range(3):
            watch.refused("no grid")
            watch.begun(number, 0, GRID, number)
        watch.phase("confirmation", 2)
        watch.refused("no grid")
        watch.finished("")

    told = [line for line in lines(capsys, act) if line.startswith("refused")]
    assert told == ["refused 3 without training: no grid", "refused 1 without training: no grid"]


def test_time_left_counts_what_pruned_trials_take(capsys):
    def act(watch: SearchObserver) -> None:
        watch.started(3, 0)
        stopped = training(0, 0.4, state="pruned", seconds=60.0)
        watch.ended(record(1, state="pruned", trainings=[stopped], made=GRID))
        watch.ended(record(2, (0.5,), made=GRID))

    first, second = lines(capsys, act)
    assert "left" not in first
    assert second.endswith("1 of 3 done, 3:20 left")


def test_no_line_is_told_twice(capsys):
    def act(watch: SearchObserver) -> None:
        watch.started(4, 0)
        for number in range(1, 9):
            watch.begun(number, 0, GRID, number)
            watch.ended(record(number, HIGH[:1], made=GRID))

    told = lines(capsys, act)
    assert len(told) == len(set(told)) == 16


def test_scores_of_confirmations_are_not_the_best_so_far(capsys):
    def act(watch: SearchObserver) -> None:
        watch.started(1, 0)
        watch.ended(record(1, LOW, made=GRID))
        watch.ended(record(2, HIGH, "confirmation", of=1, made=GRID))

    assert "best 0.3980 (trial 1)" in lines(capsys, act)[-1]


def test_every_event_may_be_left_alone():
    watch = SearchObserver()
    watch.started(1, 0)
    watch.noted("")
    watch.phase("search", 1)
    watch.refused("no grid")
    watch.begun(1, 0, GRID, 1)
    watch.scored(1, 0, 1, 0.5)
    watch.ended(record(1))
    watch.finished("")
