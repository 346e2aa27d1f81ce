"""Checkpoints: whole or absent, whatever they are broken off by; restored to the bit."""

import json
import warnings

import pytest
import torch

from gridgen.errors import RunError
from gridgen.grid import build_grid
from gridgen.training.loop.learner import Learner
from gridgen.training.recipe import TrainingStep
from gridgen.training.run.checkpoint import (
    BEST,
    TrainingState,
    load_checkpoint,
    newest,
    save_checkpoint,
    scored_weights,
)
from tests.oracles.killing import RECIPE, SPEC, content, fresh_state, task, write_checkpoints

CPU = torch.device("cpu")


@pytest.fixture
def written(tmp_path):
    return tmp_path, write_checkpoints(tmp_path)


def state_of(optimizer: str, spec=SPEC) -> TrainingState:
    return TrainingState(Learner(build_grid(spec), task(), RECIPE.but(optimizer=optimizer), 0, CPU))


def step(state: TrainingState, number: int) -> None:
    """A step on noise that depends on its number alone."""
    for _ in range(number):
        torch.manual_seed(state.step)
        images, labels = torch.rand(4, 3, 8, 8), torch.randint(0, 3, (4, 8, 8))
        state.losses.add(state.learner.step(images, labels, TrainingStep(state.step, 10, 1)).loss)
        state.step += 1
    state.losses.fetch(state.step)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("before", [0, 3])
def test_a_restored_state_goes_on_to_the_same_bits(optimizer, before, tmp_path):
    state = state_of(optimizer)
    step(state, before)
    save_checkpoint(tmp_path, state)
    again = state_of(optimizer)
    load_checkpoint(tmp_path, again)
    assert content(again) == content(state)
    step(state, 3)
    step(again, 3)
    assert content(again) == content(state)


def test_the_last_two_and_the_best_are_kept(tmp_path):
    state = fresh_state()
    save_checkpoint(tmp_path, state, BEST)
    for _ in range(4):
        step(state, 1)
        save_checkpoint(tmp_path, state)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["best", "step-000000003", "step-000000004"]


def test_the_best_survives_a_kill_between_two_renames(written):
    folder, _ = written
    save_checkpoint(folder, fresh_state(), BEST)
    held = {path.name: path.read_bytes() for path in (folder / BEST).iterdir()}
    (folder / BEST).rename(folder / ".best.old")
    (folder / ".step-000000009").mkdir()
    state = fresh_state()
    load_checkpoint(folder, state)
    step(state, 1)
    save_checkpoint(folder, state)
    assert {path.name: path.read_bytes() for path in (folder / BEST).iterdir()} == held
    assert not list(folder.glob(".*"))


def test_no_checkpoint_is_step_0(tmp_path):
    state = fresh_state()
    assert load_checkpoint(tmp_path, state) is None
    assert content(state) == content(fresh_state())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "manifest.json is missing"),
        ("{", "manifest.json is not JSON"),
        ("[1]", "manifest.json names no files"),
        ("{}", "manifest.json does not name average.safetensors"),
    ],
)
def test_a_damaged_manifest_is_told(text, reason, written):
    folder, held = written
    manifest = newest(folder) / "manifest.json"
    manifest.unlink() if text is None else manifest.write_text(text)
    state = fresh_state()
    with pytest.warns(UserWarning, match="is damaged") as told:
        load_checkpoint(folder, state)
    assert [str(warning.message) for warning in told] == [
        f"{newest(folder)} is damaged ({reason}); trying the one before"
    ]
    assert content(state) == held[0]


@pytest.mark.parametrize(
    "name", ["network.safetensors", "average.safetensors", "optimizer.safetensors", "state.json"]
)
def test_a_file_that_is_removed_together_with_its_line_in_the_manifest_is_missed(name, written):
    folder, held = written
    manifest = newest(folder) / "manifest.json"
    digests = json.loads(manifest.read_text("utf-8"))
    del digests[name]
    manifest.write_text(json.dumps(digests), "utf-8")
    (newest(folder) / name).unlink()
    state = fresh_state()
    with pytest.warns(UserWarning, match=f"is damaged \\({name} is missing\\)"):
        load_checkpoint(folder, state)
    assert content(state) == held[0]


def test_an_average_that_is_missing_is_not_replaced_by_other_weights(tmp_path):
    best = save_checkpoint(tmp_path, fresh_state(), BEST)
    average = scored_weights(best, averaged=True)
    average.unlink()
    assert scored_weights(best, averaged=True) == average
    assert scored_weights(best, averaged=False).is_file()


def test_a_checkpoint_of_another_network_is_refused(written):
    folder, _ = written
    other = state_of("sgd", SPEC.but(columns="2+1"))
    step(other, 9)
    saved = save_checkpoint(folder, other)
    state = fresh_state()
    with pytest.raises(RunError) as caught:
        load_checkpoint(folder, state)
    said = "its spec.yaml was changed; put it back, or train anew"
    assert str(caught.value) == f"{saved}: {said}"


def test_a_recipe_that_was_changed_since_is_refused(written):
    folder, _ = written
    state = state_of("adam")
    with pytest.raises(RunError) as caught:
        load_checkpoint(folder, state)
    assert str(caught.value) == (
        "its recipe.yaml was changed: optimizer was SGD, now Adam; put it back, or train anew"
    )


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("batch", 2, "batch was 4, now 2"),
        ("class_weights", "none", "class_weights was median-frequency, now none"),
    ],
)
def test_what_steps_count_and_what_was_counted_stays(written, field, value, said):
    folder, _ = written
    learner = Learner(build_grid(SPEC), task(), RECIPE.but(**{field: value}), 0, CPU)
    with pytest.raises(RunError, match=f"its recipe.yaml was changed: {said}; put it back"):
        load_checkpoint(folder, TrainingState(learner))


def test_moments_come_back_in_the_memory_format_of_their_parameters(written):
    """A GPU's fused kernels refuse others, and a CPU's gives other bits."""
    folder, _ = written
    state = fresh_state()
    load_checkpoint(folder, state)
    states = state.learner.optimizer.state
    pairs = [(p, value) for p, moments in states.items() for value in moments.values()]
    alike = [(p, value) for p, value in pairs if value.shape == p.shape]
    assert any(p.ndim == 4 and not p.is_contiguous() for p, _ in alike)
    assert all(p.stride() == value.stride() for p, value in alike)


def test_none_that_is_whole_is_an_error(written):
    folder, _ = written
    for manifest in folder.glob("*/manifest.json"):
        manifest.unlink()
    state = fresh_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RunError) as caught:
            load_checkpoint(folder, state)
    assert str(caught.value) == f"{folder}: no whole checkpoint (2 found); train anew"
    assert content(state) == content(fresh_state())


def test_memory_that_runs_out_is_no_damage(written, monkeypatch):
    folder, _ = written

    def exhausted(_path):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("gridgen.training.run.checkpoint.load_tensors", exhausted)
    with pytest.raises(torch.OutOfMemoryError):
        load_checkpoint(folder, fresh_state())
