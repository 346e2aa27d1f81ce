"""Weights taken over by another network: by name and shape, all of it told."""

import pytest
import torch
from small import SMALL

from gridgen import create_model, load_spec, relate
from gridgen.architectures.names import ARCHITECTURES
from gridgen.emit import GridNetwork, inherit, reset_head, save_network
from gridgen.errors import SpecError, WeightsError
from gridgen.grid import build_grid, prune
from gridgen.spec import GridSpec

SPEC = GridSpec(streams=3, columns="2+2", base_channels=4, classes=3)


def network(spec, seed):
    torch.manual_seed(seed)
    return GridNetwork(build_grid(spec))


def test_the_same_spec_takes_over_everything():
    one, other = network(SPEC, 1), network(SPEC, 2)
    told = inherit(other, one)
    assert (told.fresh, told.unused) == ((), ())
    assert list(told.inherited) == list(one.state_dict())
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])


@pytest.mark.parametrize("topology", ["unet", "frrn", "conv-deconv"])
def test_a_part_of_the_grid_takes_over_what_relate_says(topology):
    full = build_grid(SPEC)
    part = prune(full, topology)
    moved = {
        name.split(".")[1]
        for name in inherit(GridNetwork(part), GridNetwork(full)).inherited
        if name.startswith("units.")
    }
    relation = relate(part, full)
    assert relation.subgraph
    assert moved == set(relation.common)


def test_another_number_of_classes_or_of_image_channels_leaves_the_rest():
    one = network(SPEC, 1)
    other = network(SPEC.but(classes=7, in_channels=1), 2)
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    told = inherit(other, one.state_dict())
    assert {name.split(".")[0] for name in told.fresh} == {"stem", "head"}
    assert any(name.startswith("stem.") for name in told.inherited)
    for name in told.fresh:
        assert torch.equal(other.state_dict()[name], before[name])
    rows = dict(told.rows())
    assert (rows["in part"], rows["fresh"]) == ("1 part: stem", "1 part: head")


def test_a_file_gives_what_its_network_has(tmp_path):
    one, other = network(SPEC, 1), network(SPEC, 2)
    inherit(other, save_network(one, tmp_path / "w.safetensors"))
    assert torch.equal(one.head[0].weight, other.head[0].weight)


def test_counts_of_batches_are_taken_only_with_their_statistics():
    told = inherit(network(SPEC.but(base_channels=8), 0), network(SPEC, 1))
    assert not any(name.startswith("units.") for name in told.inherited)
    assert "stem.0.num_batches_tracked" in told.inherited


def test_weights_of_nothing_alike_are_refused():
    with pytest.raises(WeightsError) as caught:
        inherit(network(SPEC, 0), {"layer.weight": torch.zeros(3)})
    assert str(caught.value) == (
        "no tensor has a name and a shape of this network's; "
        "name those of a network with as many channels"
    )


def test_a_bias_is_taken_only_with_its_kernel():
    one, other = (create_model("unet-2015", base_channels=n, classes=3) for n in (8, 4))
    with pytest.raises(WeightsError, match="no tensor has a name and a shape of this network's"):
        inherit(other, one)
    fewer = create_model("unet-2015", base_channels=8, classes=3, in_channels=2)
    assert set(inherit(fewer, one).fresh) == {"stem.0.weight", "stem.0.bias"}


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("classes", [3, 4])
def test_whatever_depends_on_the_classes_is_reset(name, classes):
    """Be it the head or units that score, and for the same number of classes too."""
    spec = load_spec(name, **{**SMALL[name], "classes": 3})
    one = network(spec, 1)
    with torch.no_grad():
        for tensor in one.state_dict().values():
            tensor.add_(1)
    made = reset_head(one, classes).state_dict()
    others = network(spec.but(classes=9), 1).state_dict()
    of_classes = {part(name) for name in made if others[name].shape != made[name].shape}
    assert of_classes
    for tensor_name, tensor in one.state_dict().items():
        taken = tensor.shape == made[tensor_name].shape and torch.equal(tensor, made[tensor_name])
        assert taken == (part(tensor_name) not in of_classes)


def part(name):
    """`units.sub_1_0` of `units.sub_1_0.2.weight`."""
    return ".".join(name.split(".")[: 1 if name.startswith(("stem", "head")) else 2])


def test_a_head_is_reset_and_nothing_else():
    one = network(SPEC, 1).eval()
    other = reset_head(one, 5)
    assert not other.training
    assert other.grid.spec == SPEC.but(classes=5)
    for name, tensor in one.state_dict().items():
        if not name.startswith("head."):
            assert torch.equal(tensor, other.state_dict()[name])
    assert other(torch.rand(1, 3, 16, 16)).shape == (1, 5, 16, 16)
    with pytest.raises(SpecError):
        reset_head(one, 0)
