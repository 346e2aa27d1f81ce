"""Images per second and waiting, put together from the lines of steps.csv."""

import os

import pytest

from gridgen.training.run.steplog import bottleneck, overall, pace_text


def row(step: int, speed: float, waiting: float) -> dict[str, float]:
    return {"step": step, "images_per_second": speed, "waiting": waiting}


@pytest.fixture(autouse=True)
def _four_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(4)))
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)


def test_the_pace_of_all_is_images_over_time_not_the_mean_of_paces():
    pace = overall([row(20, 10, 0.5), row(40, 30, 0.0)])  # of 2 s and 2/3 s per image and step
    assert pace.images_per_second == pytest.approx(15)
    assert pace.waiting == pytest.approx(0.375)


def test_a_short_last_line_weighs_as_many_steps_as_it_is_of():
    pace = overall([row(20, 10, 0.0), row(22, 10, 1.0)])
    assert pace.waiting == pytest.approx(2 / 22)


def test_a_resumed_training_counts_its_own_steps():
    assert overall([row(120, 10, 0.0), row(140, 10, 0.4)], first=100).waiting == pytest.approx(0.2)


def test_no_line_is_no_pace():
    assert overall([]) is None
    assert bottleneck([], 0) is None


@pytest.mark.parametrize(
    ("speed", "text"),
    [(0.0421, "0.0421"), (5.9, "5.90"), (99.96, "100"), (123.4, "123"), (999.7, "1000")],
)
def test_a_pace_has_three_digits_and_no_exponent(speed, text):
    assert pace_text(row(20, speed, 0.061)) == f"{text} images/s, 6% waiting for data"


def test_less_than_a_fifth_of_waiting_is_not_worth_a_word():
    assert bottleneck([row(20, 10, 0.19)], 0) is None


def test_few_workers_are_to_be_raised():
    assert bottleneck([row(20, 10, 0.31)], 1) == (
        "31% of the time was spent waiting for data; raise workers in the recipe (now 1; 4 cores), "
        "or store smaller images: crops are cut from them and resized"
    )


def test_workers_on_every_core_are_not_to_be_raised():
    assert bottleneck([row(20, 10, 0.31)], 4) == (
        "31% of the time was spent waiting for data, though 4 workers load it on 4 cores; "
        "store smaller images: crops are cut from them and resized"
    )


def test_processes_of_one_machine_share_its_cores(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert "though 2 workers load it on 2 cores" in bottleneck([row(20, 10, 0.31)], 2)
