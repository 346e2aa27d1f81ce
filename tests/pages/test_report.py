"""The page of a training: finished, stopped, barely begun, or damaged."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from gridgen.errors import FileError, RenderError, RunError, SpecError
from gridgen.grid import build_grid
from gridgen.memory import Setting
from gridgen.pages import report, write_report
from gridgen.pages.report import report_page
from gridgen.spec import GridSpec
from gridgen.training import Recipe
from gridgen.training.recipe import setting_of
from gridgen.training.run.facts import Facts
from gridgen.training.run.folder import Run
from gridgen.training.tasks import columns
from gridgen.training.tasks.table import ScoreTable

SPEC = GridSpec(streams=2, columns="1+1", base_channels=2, classes=3, size="pad")
RECIPE = Recipe(
    epochs=4, batch=4, learning_rate=0.01, crop={"smallest": 8, "largest": 8, "size": 8}
)
FACTS = {
    "data": "/data/<b>streets",
    "holdout": None,
    "seed": 3,
    "device": "cpu",
    "classes": ["sky", "road & lane", "<i>tree"],
    "colours": [[0, 0, 0], [1, 1, 1], [2, 2, 2]],
    "torch": "2.13.0",
    "python": "3.11.7",
    "platform": "Linux",
    "machine": "cpu, 2 cores",
    "begun": "2026-01-02T03:04:05+00:00",
    "processes": 1,
    "command": ["/bin/gridgen", "train", "my spec.yaml", "--data", "streets"],
}
SCORES = (0.25, 0.5, 0.375, 0.4375)


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.addresses, self.words = [], [], []
        self.feed(text)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [v for name, v in attrs if name in ("src", "href", "srcset", "action")]

    def handle_data(self, data):
        self.words.append(data)


def made(
    folder: Path, epochs: int = 4, steps: int = 40, facts=FACTS, spec=SPEC, recipe=RECIPE
) -> Run:
    """A run of ten steps an epoch that got so far."""
    run = Run.create(folder, spec, recipe, Facts(**facts))
    metric, held_out = run.task.metric, facts["holdout"]
    run.write_rows(
        [
            {
                "epoch": epoch,
                "step": 10 * epoch,
                "learning_rate": 0.01,
                "loss": 1 / epoch,
                **dict.fromkeys(columns(run.task), SCORES[(epoch - 1) % 4]),
                **({metric.holdout: 0.125 * epoch} if held_out else {}),
            }
            for epoch in range(1, epochs + 1)
        ]
    )
    run.steps.cut(0)
    for step in range(20, steps + 1, 20):
        pace = {"images_per_second": 12.5, "waiting": 0.06}
        run.steps.add({"step": step, "learning_rate": 0.01, "loss": 1 / step, **pace})
    if epochs == recipe.epochs:
        run.weights.write_bytes(b"")
        Image.new("RGB", (8, 8)).save(folder / "predictions.png")
    return run


def page(*arguments, **changes) -> Page:
    return Page(report_page(made(*arguments, **changes)))


def test_it_is_one_file_that_asks_for_nothing(tmp_path):
    shown = page(tmp_path / "run")
    assert "script" not in shown.tags
    assert all(address.startswith("data:image/") for address in shown.addresses)
    assert [a.partition(";")[0] for a in shown.addresses] == [
        "data:image/png",
        "data:image/svg+xml",
    ]


def test_it_says_which_validation_was_the_best_and_which_the_last(tmp_path):
    shown = page(tmp_path / "run").text
    assert "run: gridnet on <b>streets" in shown
    assert (
        "The best validation, at epoch 2: val IoU 0.5000. The last, at epoch 4: val IoU 0.4375."
    ) in shown
    assert "Not finished" not in shown


def test_the_best_is_chosen_by_what_was_held_out(tmp_path):
    shown = page(tmp_path / "run", facts=FACTS | {"holdout": "0006R0*"}).text
    assert (
        "The last validation, at epoch 4, is the best: held out IoU 0.5000, val IoU 0.4375."
    ) in shown
    assert "held out 0006R0*" in shown


def test_what_others_named_is_text_to_the_page(tmp_path):
    shown = page(tmp_path / "run")
    assert "sky, road & lane, <i>tree" in shown.text
    assert "/data/<b>streets" in shown.text
    assert "i" not in shown.tags


def test_a_name_cannot_turn_the_text_around_it(tmp_path):
    shown = page(tmp_path / "run", facts=FACTS | {"data": "/data/\u202estreets"})
    assert r"/data/\u202estreets" in shown.text
    assert "\u202e" not in shown.text


def test_loss_score_and_learning_rate_have_curves(tmp_path):
    shown = page(tmp_path / "run")
    assert shown.tags.count("svg") == 3
    assert shown.tags.count("polyline") == 4


def test_the_command_is_shown_as_it_can_be_typed_and_from_the_folder_alone(tmp_path):
    folder = tmp_path / "my run"
    shown = page(folder, facts=FACTS | {"holdout": "a*", "fold": "2/5"}).text
    assert "gridgen train 'my spec.yaml' --data streets" in shown
    assert (
        f"gridgen train '{folder}/spec.yaml' --data '/data/<b>streets' "
        f"--recipe '{folder}/recipe.yaml' --seed 3 --holdout 'a*' --fold 2/5 --device cpu"
    ) in shown
    assert f"gridgen evaluate '{folder}' --data" in shown


def test_a_training_from_python_shows_the_users_program(tmp_path):
    assert "mine.py 3" in page(tmp_path / "a", facts=FACTS | {"command": ["mine.py", "3"]}).text
    assert "As it was started" not in page(tmp_path / "b", facts=FACTS | {"command": []}).text


def test_network_environment_and_files_are_told(tmp_path):
    shown = page(tmp_path / "run").text
    for told in (
        "2 streams, 1+1 columns, F0 = 2",
        "gridnet, 4 of 4 connections",
        "MiB, counted for a batch of 4 on a CPU",
        "cpu, 2 cores",
        "2026-01-02T03:04:05+00:00",
        "12.5 images/s, 6% waiting for data",
        "streams: 2 columns: 1+1",
        "epochs: 4 batch: 4",
    ):
        assert told in shown


def test_many_validations_are_folded(tmp_path):
    few = page(tmp_path / "few", epochs=12, recipe=RECIPE.but(epochs=12))
    many = page(tmp_path / "many", epochs=13, recipe=RECIPE.but(epochs=13))
    assert "details" not in few.tags
    assert "details" in many.tags
    assert "13 validations, the best marked" in many.text


def test_a_stopped_training_says_how_far_it_got_and_how_to_go_on(tmp_path):
    shown = page(tmp_path / "run", epochs=1, steps=20)
    assert "Not finished: step 20 of 40 is the last that is logged." in shown.text
    assert f"gridgen train --resume {tmp_path}/run" in shown.text
    assert "Predictions" not in shown.text


def test_a_training_without_a_validation_has_a_page(tmp_path):
    shown = page(tmp_path / "run", epochs=0, steps=20)
    assert "No validation yet." in shown.text
    assert "Not finished: 20 steps are logged, none of its 4 epochs is scored." in shown.text
    assert shown.tags.count("svg") == 2


def test_a_training_that_was_killed_at_once_has_a_page(tmp_path):
    run = Run.create(tmp_path / "run", SPEC, RECIPE, Facts(**FACTS))
    shown = Page(report_page(run))
    assert "Not finished: 0 steps are logged, none of its 4 epochs is scored." in shown.text
    assert "svg" not in shown.tags


def test_a_restoration_is_judged_in_its_own_unit(tmp_path):
    spec = SPEC.but(in_channels=1, classes=1)
    shown = page(tmp_path / "run", spec=spec, facts=FACTS | {"classes": [], "colours": []})
    assert "at epoch 2: val PSNR 0.50 dB" in shown.text
    assert "PSNR in dB" in shown.text


TABLE = ScoreTable(
    "Classes",
    ("class", "iou", "dice"),
    ("class", "IoU", "Dice"),
    [("sky", 0.75, 6 / 7), ("tree", None, None)],
    mean=("mean", 0.75, 6 / 7),
)


def test_an_evaluation_in_the_folder_is_shown_class_by_class(tmp_path):
    run = made(tmp_path / "run")
    for name, scores in (
        ("val", {"tables": {"classes": TABLE.as_json()}}),
        ("other", {"psnr": 31.0, "tables": {}}),
        ("old", {"iou": {"sky": 0.75}, "mean_iou": 0.75}),
    ):
        (run.folder / name).mkdir()
        told = {"images": 4, "data": "streets", "split": "val", **scores}
        (run.folder / name / "scores.json").write_text(json.dumps(told))
    shown = Page(report_page(run)).text
    assert "Evaluation val" in shown
    assert "Evaluation other" not in shown
    assert "Evaluation old" not in shown
    told = "4 images of streets, val class IoU Dice sky 0.7500 0.8571 tree – – mean 0.7500 0.8571"
    assert told in re.sub(r"\s+", " ", shown)


def test_without_a_program_that_draws_there_is_no_picture(tmp_path, monkeypatch):
    def missing(*_arguments):
        raise RenderError("no Graphviz program")

    monkeypatch.setattr("gridgen.render.picture.find_program", missing)
    assert len(page(tmp_path / "run").addresses) == 1


def test_a_run_of_before_says_what_it_knows(tmp_path):
    older = {name: FACTS[name] for name in ("data", "holdout", "seed", "device", "classes")}
    shown = page(tmp_path / "run", facts={**older, "colours": FACTS["colours"]}).text
    assert "platform" not in shown
    assert "device cpu" in shown


def test_it_is_written_into_the_run_or_where_asked(tmp_path):
    run = made(tmp_path / "run")
    assert write_report(run) == run.folder / "report.html"
    assert write_report(run, tmp_path / "new" / "a.html").is_file()
    with pytest.raises(FileError) as caught:
        write_report(run, tmp_path)
    assert str(caught.value) == f"{tmp_path}: a folder; name a file in it"


def test_memory_of_a_step_is_that_of_the_whole_recipe(tmp_path):
    recipe = RECIPE.but(ema=0.9, optimizer={"name": "adamw"}, batch=64, recompute="unit")
    run = made(tmp_path / "run", recipe=recipe)
    setting = Setting(batch=64, optimizer="adamw", averaged=True, recompute="unit")
    assert setting_of(recipe) == setting
    setting = setting.but(device="cpu")
    grid, asked = build_grid(SPEC), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "training_memory", lambda *told: asked.append(told) or 2**21)
        assert report.network(grid, run)[-1][1].startswith("2 MiB, counted for a batch of 64")
    assert asked == [(grid, (8, 8), setting)]


@pytest.mark.parametrize(
    ("name", "content", "error", "text"),
    [
        (
            "metrics.csv",
            b"epoch,step\n1\n",
            RunError,
            "missing or damaged; gridgen train --resume ",
        ),
        ("metrics.csv", b"\xff\xfe", RunError, "missing or damaged; gridgen train "),
        ("metrics.csv", b"epoch,step\n", RunError, "no column learning_rate; name it in the first"),
        ("run.json", b"{", RunError, ":1:2: not JSON; put it back"),
        ("run.json", b'{"data": 7}', RunError, "data: 7 is not a word"),
        ("spec.yaml", b"streams: 0\n", SpecError, ":1:10: streams: 0 is less than 1"),
        ("recipe.yaml", b"epochs: 1\n", SpecError, "batch: this field is missing; add it"),
    ],
)
def test_what_is_damaged_is_named(name, content, error, text, tmp_path):
    run = made(tmp_path / "run")
    (run.folder / name).write_bytes(content)
    with pytest.raises(error) as caught:
        report_page(run)
    assert str(caught.value).startswith(f"{run.folder / name}:")
    assert text in str(caught.value)


def test_a_damaged_line_of_steps_csv_is_passed_over(tmp_path):
    run = made(tmp_path / "run")
    with open(run.steps.path, "ab") as file:
        file.write(b"60,x,\xff\n80,0.0")
    assert report_page(run)
