"""Cross-validation: a fold of train is val, for training, going on, evaluation and report."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import RECIPE, SPEC

from gridgen.errors import DataError, RunError, UsageError, WeightsError
from gridgen.pages import write_report
from gridgen.training import Run, evaluate, export_model, open_model, resume, train
from gridgen.training.scoring.evaluation import scored_split
from gridgen.training.tasks.requirements import load_splits

CLASSES = "".join(f"{i}\tclass {i}\t{i}\t{i}\t{i}\tclass\n" for i in range(3))
QUICK = RECIPE.but(epochs=1, batch=2)
NAMES = {f"b{number}" for number in range(6)}


@pytest.fixture(scope="module")
def streets(tmp_path_factory):
    """Eight images in train and no val; two of them are of another drive."""
    root = tmp_path_factory.mktemp("data") / "streets"
    rng = np.random.default_rng(0)
    for part in ("images", "labels"):
        (root / "train" / part).mkdir(parents=True)
    for name in ("a0", "a1", *sorted(NAMES)):
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(
            root / f"train/images/{name}.png"
        )
        Image.fromarray(rng.integers(0, 3, (16, 16), np.uint8)).save(
            root / f"train/labels/{name}.png"
        )
    (root / "classes.txt").write_text(CLASSES, "utf-8")
    return root


@pytest.fixture(scope="module")
def run(streets, tmp_path_factory) -> Run:
    return quick(streets, tmp_path_factory.mktemp("runs") / "run")


def quick(data, folder, fold="2/3", **more) -> Run:
    return train(SPEC, data, QUICK, folder=folder, holdout="a*", fold=fold, device="cpu", **more)


def test_a_folder_without_val_is_trained_on_the_other_folds(streets, run):
    told = json.loads((run.folder / "run.json").read_text("utf-8"))
    assert (told["fold"], run.facts.fold) == ("2/3", "2/3")
    found = [load_splits(str(streets), "a*", f"{number}/3") for number in (1, 2, 3)]
    assert {name for splits in found for name in splits.val.names} == NAMES
    for splits in found:
        assert sorted(splits.train.names + splits.val.names) == sorted(NAMES)
        assert splits.holdout.names == ("a0", "a1")


def test_the_fold_is_what_an_evaluation_scores(streets, run):
    last = run.rows()[-1]
    found = evaluate(run.folder, streets)
    assert (found.split, found.images) == ("fold 2/3", 2)
    assert found.network.value == pytest.approx(last["val_iou"], abs=1e-6)
    apart = evaluate(run.folder, streets, "holdout", baseline=False)
    assert apart.network.value == pytest.approx(last["holdout_iou"], abs=1e-6)
    assert evaluate(run.folder, streets, "train", baseline=False).images == 8


def test_a_weights_file_knows_its_fold(streets, run, tmp_path):
    path = export_model(run.folder, tmp_path / "a.safetensors")
    assert open_model(path).fold == "2/3"
    assert evaluate(path, streets, baseline=False).split == "fold 2/3"


def test_a_weights_file_with_what_is_no_fold_is_refused(run, tmp_path):
    path = tmp_path / "a.safetensors"
    export_model(replace(open_model(run.folder), fold="4/3"), path)
    with pytest.raises(WeightsError, match=r"fold: '4/3' is not K/N"):
        open_model(path)


def test_a_fold_that_has_become_another_is_not_scored(streets, run, tmp_path):
    """Images that are added move others into it, which were trained on."""
    grown = tmp_path / "streets"
    shutil.copytree(streets, grown)
    for number in range(20):
        for part in ("images", "labels"):
            shutil.copy(grown / f"train/{part}/b0.png", grown / f"train/{part}/c{number}.png")
    exported = export_model(run.folder, tmp_path / "weights.safetensors")
    with pytest.raises(DataError) as error:
        evaluate(exported, str(grown))
    assert "is another one than" in str(error.value)
    assert str(error.value).endswith("removed or renamed; score a val: --split val")
    assert scored_split(open_model(run.folder), str(grown)) == "val", "a run says where its data is"


def test_other_data_is_scored_by_its_val(run, streets):
    """Its images say nothing of this training's folds."""
    model = open_model(run.folder)
    assert (scored_split(model, "shapes"), scored_split(model, str(streets))) == ("val", "fold")
    assert scored_split(replace(model, data=None), str(streets)) == "val"


def test_the_lookup_is_fitted_on_what_was_trained_on(streets, run, monkeypatch):
    seen = []

    def fitted(fitted_on, scored, _on_progress):
        seen.append((fitted_on.names, scored.names))
        return torch.eye(3).long()

    monkeypatch.setattr("gridgen.training.tasks.segmentation.fitted_lookup", fitted)
    for split in (None, "holdout"):
        evaluate(run.folder, streets, split)
    assert [len(fitted_on) for fitted_on, _ in seen] == [4, 4]
    assert not any(set(fitted_on) & set(scored) for fitted_on, scored in seen)


def test_a_run_goes_on_with_its_own_fold_only(streets, run):
    assert resume(run.folder).facts.fold == "2/3"
    quick(streets, run.folder, resume_if_begun=True)
    for other in ("1/3", "2/4"):
        with pytest.raises(RunError) as caught:
            quick(streets, run.folder, other, resume_if_begun=True)
        assert str(caught.value) == (
            f"{run.folder} was begun with another fold: 2/3, not {other}; name another folder"
        )


def test_no_group_stands_on_both_sides_of_any_fold(streets):
    seen = []
    for number in (1, 2):
        splits = load_splits(str(streets), None, f"{number}/2", "^(.)")
        groups = [{name[0] for name in part.names} for part in (splits.train, splits.val)]
        assert groups[0].isdisjoint(groups[1])
        seen += splits.val.names
    assert sorted(seen) == ["a0", "a1", *sorted(NAMES)]


def test_a_run_and_its_weights_know_their_groups(streets, tmp_path):
    run = train(SPEC, streets, QUICK, folder=tmp_path / "run", fold="1/2", group="^(.)", seed=3)
    assert json.loads((run.folder / "run.json").read_text("utf-8"))["group"] == "^(.)"
    found = evaluate(run.folder, streets, baseline=False)
    assert (found.split, found.images) == ("fold 1/2", len(NAMES))
    path = export_model(run.folder, tmp_path / "a.safetensors")
    assert open_model(path).group == "^(.)"
    assert evaluate(path, streets, baseline=False).images == len(NAMES)
    assert resume(run.folder).facts.group == "^(.)"
    with pytest.raises(RunError, match=r"was begun with another group: .* not None"):
        train(SPEC, streets, QUICK, folder=run.folder, fold="1/2", seed=3, resume_if_begun=True)


@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        ({"group": "^(.)"}, UsageError, "--group: it keeps images together in a fold; give --fold"),
        ({"fold": "1/3", "group": "^."}, DataError, "fold 1/3: 2 groups of train for 3 folds"),
        ({"fold": "1/2", "group": ".*"}, DataError, "leaves each of 8 names to itself"),
        ({"fold": "1/2", "group": "("}, UsageError, "no regular expression"),
    ],
)
def test_groups_that_make_no_folds_are_refused(streets, tmp_path, options, kind, told):
    with pytest.raises(kind, match=told):
        train(SPEC, streets, QUICK, folder=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_the_report_tells_the_fold(run, tmp_path):
    page = write_report(run, tmp_path / "a.html").read_text("utf-8")
    assert "fold 2/3 of train" in page
    assert "--fold 2/3" in page


def test_without_a_fold_there_is_no_such_split(run, streets):
    model = replace(open_model(run.folder), fold=None)
    with pytest.raises(DataError) as caught:
        evaluate(model, streets, "fold")
    assert str(caught.value).endswith(f"{run.folder} was trained without a fold")


def test_what_is_no_fold_is_refused_before_anything_is_read_or_written(tmp_path):
    with pytest.raises(DataError) as caught:
        train(SPEC, "shapes", QUICK, folder=tmp_path / "run", fold="6/5")
    assert str(caught.value) == (
        "fold: '6/5' is not K/N with K from 1 to N; write 1/5, 2/5 ... 5/5"
    )
    assert not (tmp_path / "run").exists()
