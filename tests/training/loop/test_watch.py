"""Who is told what, and in which order, while a training goes on."""

import inspect
from pathlib import Path

import pytest
from tiny import RECIPE, SPEC

from gridgen.errors import DataError
from gridgen.grid import build_grid
from gridgen.training import resume, train
from gridgen.training.loop.watch import Several, Watch

SHORT = RECIPE.but(epochs=1)
STEPS = 4
HOOKS = [name for name, _ in inspect.getmembers(Watch, inspect.isfunction) if name[0] != "_"]


class Diary(Watch):
    """Writes down all that it is told."""

    def __init__(self) -> None:
        self.told: list[tuple] = []

    def __getattribute__(self, name):
        if name not in HOOKS:
            return super().__getattribute__(name)
        return lambda *facts: self.told.append((name, *facts))

    def of(self, name: str) -> list[tuple]:
        return [facts for told, *facts in self.told if told == name]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    diary = Diary()
    folder = tmp_path_factory.mktemp("watched") / "run"
    run = train(
        build_grid(SPEC), "shapes", SHORT, folder=folder, holdout="*1", watch=diary, device="cpu"
    )
    return run, diary


@pytest.mark.parametrize("hook", HOOKS)
def test_several_watches_are_told_alike(hook):
    diaries = Diary(), Diary()
    facts = [object() for _ in list(inspect.signature(getattr(Watch, hook)).parameters)[1:]]
    getattr(Several(*diaries), hook)(*facts)
    assert [diary.told for diary in diaries] == [[(hook, *facts)]] * 2


def test_all_is_told_in_the_order_in_which_it_happens(trained):
    run, diary = trained
    assert diary.told[0] == ("opening", "shapes")
    assert diary.told[1] == ("started", run, STEPS, 0, 0)
    assert diary.told[-2:] == [("drawn", run.folder / "predictions.png"), ("finished",)]
    assert diary.of("stepped") == [[step] for step in range(1, STEPS + 1)]
    assert [row["epoch"] for (row,) in diary.of("scored")] == [1]


def test_every_scored_image_is_told_split_by_split(trained):
    _, diary = trained
    told = diary.of("scoring")
    assert told[0] == ["val", 1, 64]
    assert told[63:65] == [["val", 64, 64], ["held out", 1, 100]]
    assert len(told) == 64 + 100


def test_the_last_steps_have_a_line_of_steps_csv_however_few_they_are(trained):
    run, diary = trained
    assert [row["step"] for (row,) in diary.of("paced")] == [STEPS]
    (row,) = run.steps.rows()
    assert row["loss"] == diary.of("paced")[0][0]["loss"]


def test_a_resumed_training_says_how_many_steps_were_made_before(trained):
    diary = Diary()
    run, _ = trained
    resume(run.folder, watch=diary)
    assert diary.of("started") == [[run, STEPS, STEPS, 0]]
    assert diary.of("stepped") == []


def test_a_dataset_that_is_none_is_opened_and_not_started(tmp_path):
    diary = Diary()
    with pytest.raises(DataError):
        train(build_grid(SPEC), str(Path(tmp_path)), RECIPE, folder=tmp_path / "r", watch=diary)
    assert [name for name, *_ in diary.told] == ["opening"]
