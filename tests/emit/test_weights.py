"""Weights files: the spec travels inside, and damage is found."""

import json
import random

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from gridgen.emit import GridNetwork, load_network, save_network
from gridgen.emit.weights import load_tensors, save_tensors
from gridgen.errors import UsageError, WeightsError
from gridgen.grid import build_grid, keep, prune
from gridgen.spec import CustomTopology, GridSpec
from gridgen.training.run.ensemble import is_model

SPEC = GridSpec(streams=3, columns="1+1", base_channels=3, classes=2, size="pad")


@pytest.fixture
def path(tmp_path):
    return save_network(GridNetwork(build_grid(SPEC)), tmp_path / "a" / "w.safetensors")


@pytest.mark.parametrize(
    "topology", ["unet", "resnet", CustomTopology(drop=["lateral_1_*", "lateral_2_*"])]
)
def test_a_network_comes_back_with_its_topology(topology, tmp_path):
    network = GridNetwork(prune(build_grid(SPEC), topology)).eval()
    loaded = load_network(save_network(network, tmp_path / "w.safetensors"))
    image = torch.rand(1, 3, 13, 9)
    assert torch.equal(network(image), loaded(image))
    assert loaded.grid.spec == network.grid.spec


def test_weights_in_channels_last_are_saved_too(tmp_path):
    network = GridNetwork(build_grid(SPEC)).eval()
    image = torch.rand(1, 3, 8, 8)
    expected = network(image)
    network.to(memory_format=torch.channels_last)
    loaded = load_network(save_network(network, tmp_path / "w.safetensors"))
    torch.testing.assert_close(loaded(image), expected)


def test_every_flipped_bit_is_found(path):
    whole = path.read_bytes()
    dice = random.Random(0)
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(WeightsError):
            load_network(path)


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_file_cut_short_is_found(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError):
        load_network(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError) as caught:
        load_network(tmp_path / "none.safetensors")
    assert str(caught.value) == f"{tmp_path}/none.safetensors: no such file"


def test_somebody_elses_weights_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(WeightsError) as caught:
        load_network(path)
    assert str(caught.value) == f"{path}: not written by gridgen; build or train one"


def test_nothing_is_left_behind_but_the_file(path):
    assert [entry.name for entry in path.parent.iterdir()] == ["w.safetensors"]


def test_what_keep_left_comes_back_too(tmp_path):
    kept = keep(build_grid(SPEC), lambda connection: connection.name != "lateral_2_1")
    network = GridNetwork(kept).eval()
    loaded = load_network(save_network(network, tmp_path / "w.safetensors"))
    assert [c.name for c in loaded.grid] == [c.name for c in kept]
    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(network(image), loaded(image))


def test_a_file_holds_every_field_of_the_spec(path):
    """A default that changes one day must not change what was built before."""
    with safe_open(path, framework="pt") as file:
        spec = json.loads(json.loads(file.metadata()["gridgen"])["spec"])
    assert {"units", "fusion", "residual", "total_dropout", "stem", "head"} <= set(spec)


@pytest.mark.parametrize("kind", [torch.float16, torch.float64])
def test_other_floats_are_written_as_fp32(kind, tmp_path):
    network = GridNetwork(build_grid(SPEC)).to(kind)
    loaded = load_network(save_network(network, tmp_path / "w.safetensors"))
    for name, tensor in loaded.state_dict().items():
        given = network.state_dict()[name]
        assert torch.equal(tensor, given.float() if given.is_floating_point() else given)


def test_a_file_may_end_in_capitals(tmp_path):
    path = save_network(GridNetwork(SPEC), tmp_path / "W.SAFETENSORS")
    assert load_network(path).grid.spec == SPEC
    assert is_model(path)


@pytest.mark.parametrize(
    ("about", "text"),
    [
        ({"sha256": "a"}, "about: sha256 is written by gridgen itself; give it another name"),
        (
            {"note": "", "spec": {}},
            "about: spec is written by gridgen itself; give it another name",
        ),
        (
            {"classes": {"road", "car"}},
            "about: classes is no value of JSON (Object of type set is not JSON serializable); "
            "give text, numbers, lists or dictionaries",
        ),
    ],
)
def test_what_a_file_cannot_say_is_refused(about, text, tmp_path):
    with pytest.raises(UsageError) as caught:
        save_network(GridNetwork(build_grid(SPEC)), tmp_path / "w.safetensors", about=about)
    assert str(caught.value) == text
    assert not list(tmp_path.iterdir())


def test_weights_that_no_file_gives_back_are_not_written(tmp_path):
    network, path = GridNetwork(build_grid(SPEC)), tmp_path / "w.safetensors"
    with torch.no_grad():
        network.head[0].weight[0] = float("nan")
    with pytest.raises(WeightsError) as caught:
        save_network(network, path)
    said = "head.0.weight has values that are no finite numbers; train anew"
    assert str(caught.value) == f"{path}: {said}"
    assert not path.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"head.0.weight": None}, "head.0.weight is missing"),
        ({"tail.weight": torch.zeros(2)}, "the network has no tail.weight"),
        (
            {"head.0.weight": torch.zeros(2, 3)},
            "head.0.weight is of shape (2, 3), the network's of (3, 2, 3, 3)",
        ),
    ],
)
def test_tensors_that_are_not_those_of_the_spec_are_one_line(change, said, path):
    tensors, metadata = load_tensors(path)
    changed = {name: each for name, each in (tensors | change).items() if each is not None}
    save_tensors(changed, path, metadata)
    with pytest.raises(WeightsError) as caught:
        load_network(path)
    assert str(caught.value) == f"{path}: weights and spec do not agree: {said}"
