"""Trainings that begin with the weights of another, and such as leave parts as they are."""

import shutil
import signal

import pytest
import torch
from tiny import RECIPE, SPEC, StopAt, bits

from gridgen import open_model, resume, train
from gridgen.emit import save_network
from gridgen.emit.weights import load_tensors
from gridgen.errors import Interrupted, RunError, SpecError, WeightsError
from gridgen.training.loop.watch import Watch
from gridgen.training.run.folder import INITIAL


class Noted(Watch):
    """The lines that a training says."""

    def __init__(self):
        self.lines = []

    def noted(self, line):
        self.lines.append(line)


def begun(folder, init=None, spec=SPEC, watch=None, **changes):
    recipe = RECIPE.but(**changes)
    return train(spec, "shapes", recipe, folder=folder, init=init, watch=watch, device="cpu")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return begun(tmp_path_factory.mktemp("first") / "run")


def test_it_begins_where_the_other_ended(first, tmp_path):
    noted = Noted()
    run = begun(tmp_path / "run", first.folder, watch=noted, epochs=1, learning_rate=1e-12)
    assert run.facts.init == str(first.folder)
    # A step of almost no length: the weights are still those, and the loss is what it was.
    assert run.rows()[0]["val_iou"] == pytest.approx(first.rows()[-1]["val_iou"], abs=0.02)
    for name, tensor in first.network().state_dict().items():
        if "running" not in name and "num_batches" not in name:
            assert torch.allclose(tensor, run.network().state_dict()[name], atol=1e-6), name
    assert "fresh: 0 parts" in noted.lines


def test_a_stopped_training_goes_on_from_what_it_began_with(first, tmp_path):
    whole = begun(tmp_path / "whole", first.folder)
    with pytest.raises(Interrupted):
        begun(tmp_path / "parts", first.folder, watch=StopAt(3, signal.SIGTERM))
    # Neither the other run nor its path is asked again.
    assert bits(resume(tmp_path / "parts")) == bits(whole)


def test_without_the_file_it_does_not_begin_with_others(first, tmp_path):
    with pytest.raises(Interrupted):
        begun(tmp_path / "run", first.folder, watch=StopAt(3, signal.SIGTERM))
    # As if it had been killed before its first checkpoint.
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    kept = (tmp_path / "run" / INITIAL).read_bytes()
    (tmp_path / "run" / INITIAL).unlink()
    with pytest.raises(WeightsError, match=f"{INITIAL}: no such file"):
        resume(tmp_path / "run")
    wider = begun(tmp_path / "wider", spec=SPEC.but(base_channels=4), epochs=1)
    shutil.copy(wider.weights, tmp_path / "run" / INITIAL)
    with pytest.raises(WeightsError, match="weights of another network; put it back, or train"):
        resume(tmp_path / "run")
    (tmp_path / "run" / INITIAL).write_bytes(kept)
    assert resume(tmp_path / "run").rows()[-1]["epoch"] == 3


def test_the_same_command_goes_on_when_the_other_run_is_gone(first, tmp_path):
    shutil.copytree(first.folder, tmp_path / "other")
    how = {"folder": tmp_path / "run", "init": tmp_path / "other", "device": "cpu"}
    with pytest.raises(Interrupted):
        train(SPEC, "shapes", RECIPE, watch=StopAt(3, signal.SIGTERM), **how)
    shutil.rmtree(tmp_path / "other")
    again = train(SPEC, "shapes", RECIPE, resume_if_begun=True, **how)
    assert bits(again) == bits(begun(tmp_path / "whole", first.folder))


def test_a_network_of_other_classes_gives_all_but_its_head(first, tmp_path):
    # A file without names of classes; of another number the head does not fit.
    other = open_model(first.folder).network
    path = save_network(other, tmp_path / "w.safetensors", about={"classes": ["a", "b", "c"]})
    noted = Noted()
    run = begun(tmp_path / "run", path, watch=noted, epochs=1)
    assert f"{path} was trained for other classes, so the head is fresh" in noted.lines
    initial = load_tensors(run.folder / INITIAL)[0]
    kept = other.state_dict()
    assert torch.equal(initial["stem.1.weight"], kept["stem.1.weight"])
    assert not torch.equal(initial["head.0.weight"], kept["head.0.weight"])


def test_frozen_parts_stay_to_the_last_bit(first, tmp_path):
    run = begun(tmp_path / "run", first.folder, freeze=["stem", "sub_*"], epochs=1)
    before, after = first.network().state_dict(), run.network().state_dict()
    for name, tensor in after.items():
        frozen = name.startswith(("stem.", "units.sub_"))
        if frozen:
            assert torch.equal(tensor, before[name]), name
    moved = [name for name in after if not torch.equal(after[name], before[name])]
    assert any(name.startswith("head.") for name in moved)
    assert any("running_mean" in name for name in moved)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_frozen_parts_stay_over_a_stop(optimizer, first, tmp_path):
    how = {"freeze": ["stem", "lateral_0_*"], "optimizer": {"name": optimizer}, "ema": 0.9}
    whole = begun(tmp_path / "whole", first.folder, **how)
    with pytest.raises(Interrupted):
        begun(tmp_path / "parts", first.folder, watch=StopAt(5, signal.SIGTERM), **how)
    assert bits(resume(tmp_path / "parts")) == bits(whole)


@pytest.mark.parametrize(
    ("freeze", "told"),
    [
        (["stam"], "unknown part with weights 'stam'; did you mean 'stem'?"),
        (["stem", "lateral_9_9"], "unknown part with weights 'lateral_9_9'; did you mean"),
        (["*"], "all parts are frozen, so that nothing is learnt; leave one"),
    ],
)
def test_parts_that_are_not_there_are_refused_before_anything_is_written(freeze, told, tmp_path):
    with pytest.raises(SpecError, match="freeze") as caught:
        begun(tmp_path / "run", freeze=freeze)
    assert told in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_run_that_is_not_there_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(RunError):
        begun(tmp_path / "run", tmp_path / "nowhere")
    assert not (tmp_path / "run").exists()
