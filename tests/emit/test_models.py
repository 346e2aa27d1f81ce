"""Networks by name, and their feature maps as backbones are used."""

import pytest
import torch
from small import SMALL

from gridgen import FeatureMaps, GridNetwork, create_model, list_models, save_network
from gridgen.analysis.sizes import default_size, larger_size
from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.emit.weights import load_network
from gridgen.errors import SpecError, UsageError
from gridgen.grid import Draft, build_grid
from gridgen.grid.layers import Conv, Upsample
from gridgen.spec import DraftSpec, GridSpec

SPEC = GridSpec(streams=3, columns="2+2", base_channels=4, classes=3, size="pad")


def test_models_are_listed_by_a_pattern():
    assert list_models() == list(ARCHITECTURES)
    assert list_models("*net*") == [name for name in ARCHITECTURES if "net" in name]
    assert list_models("nothing") == []


@pytest.mark.parametrize("name", ["unet-2015", "frrn-a", "bifpn"])
def test_a_model_is_made_by_its_name_and_settings(name):
    network = create_model(name, **SMALL[name], in_channels=1, classes=2)
    assert isinstance(network, GridNetwork)
    spec = network.grid.spec
    assert (spec.architecture, spec.in_channels, spec.classes) == (name, 1, 2)


def test_weights_are_taken_over(tmp_path):
    settings = {**SMALL["unet-2015"], "in_channels": 1}
    path = save_network(create_model("unet-2015", **settings), tmp_path / "w.safetensors")
    other = create_model("unet-2015", weights=path, **settings, classes=7)
    kept = load_network(path).state_dict()
    assert torch.equal(other.state_dict()["stem.0.weight"], kept["stem.0.weight"])


def test_a_wrong_name_names_the_nearest():
    with pytest.raises(SpecError, match=r"did you mean 'unet-2015'"):
        create_model("unet-2014")


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("recompute", ["none", "unit"])
def test_feature_maps_are_those_of_the_forward_pass(training, recompute):
    torch.manual_seed(0)
    network = GridNetwork(build_grid(SPEC)).train(training)
    network.recompute = recompute
    images = torch.rand(2, 3, 13, 22)
    found = FeatureMaps(network, [(0, 3), (2, 1), (0, 0)])
    assert (found.channels, found.strides) == ([4, 16, 4], [1, 4, 1])
    first, low, stem = found(images)
    assert [tuple(each.shape) for each in (first, low, stem)] == [
        (2, 4, 16, 24),
        (2, 16, 4, 6),
        (2, 4, 16, 24),
    ]
    # The last map and the head alone give the prediction, cut to the size of the images.
    (again,) = network.feature_maps(images, ["map_0_3"])
    assert torch.allclose(again, first, atol=1e-5)
    if not training:
        prediction = network.head(first)[..., 1:14, 1:23]
        assert torch.equal(prediction, network(images))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_strides_are_by_how_much_maps_are_smaller_than_the_image(name):
    grid = build_grid(load_spec(name, **SMALL[name]))
    with torch.device("meta"):
        found = FeatureMaps(GridNetwork(grid).eval(), grid.maps)
    side = larger_size(grid.spec, default_size(grid.spec))[0]
    once, twice = (
        found(torch.rand(1, grid.spec.in_channels, n, n, device="meta")) for n in (side, 2 * side)
    )
    for stride, small, large in zip(found.strides, once, twice, strict=True):
        more = large.shape[2] - small.shape[2]
        assert stride == (None if more == 0 else side / more)


def test_the_stride_of_a_stem_is_that_of_its_maps():
    assert create_model("fpn", features=[(0, 0), (1, 0), (2, 0)]).strides == [4, 8, 16]
    assert create_model("hrnet", features=[(0, 0), (3, 8)]).strides == [4, 32]
    draft = Draft()
    draft.connect((0, 0), (0, 1), (Conv(4, 4),))
    spec = DraftSpec(classes=2, step=4)
    stem, head = (Conv(3, 4, kernel=5, stride=4),), (Conv(4, 2), Upsample("bilinear", 4))
    grid = draft.grid(spec, stem=stem, head=head)
    assert FeatureMaps(GridNetwork(grid), [(0, 1)]).strides == [4]


def test_pooled_bins_have_no_stride():
    grid = build_grid(load_spec("pspnet"))
    pooled = [each for each in grid.maps if each.stream > 1 and each.column == 5]
    with torch.device("meta"):
        found = FeatureMaps(GridNetwork(grid), [(1, 3), *pooled])
    assert found.strides == [8, None, None, None, None]


def test_maps_are_named_by_lists_too():
    network = GridNetwork(build_grid(SPEC))
    assert FeatureMaps(network, [[0, 3], (2, 1)]).maps == [(0, 3), (2, 1)]
    with pytest.raises(UsageError, match=r"the network has no X\(0, 1, 2\); it has X\(0, 0\)"):
        FeatureMaps(network, [[0, 1, 2]])


def test_gradients_reach_the_weights_before_a_map_and_no_others():
    network = GridNetwork(build_grid(SPEC)).train()
    FeatureMaps(network, [(1, 1)])(torch.rand(2, 3, 16, 16))[0].sum().backward()
    with_gradient = {name for name, each in network.named_parameters() if each.grad is not None}
    assert any(name.startswith("units.sub_1_1.") for name in with_gradient)
    assert not any(name.startswith(("head.", "units.up_")) for name in with_gradient)


def test_a_map_that_is_not_there_is_named():
    network = GridNetwork(build_grid(SPEC))
    with pytest.raises(UsageError) as caught:
        FeatureMaps(network, [(7, 1)])
    assert str(caught.value) == (
        "features: the network has no X(7, 1); it has X(0, 0), X(1, 0), X(2, 0) and 9 more"
    )
    with pytest.raises(UsageError, match="no map is named; leave features out"):
        FeatureMaps(network, [])
    with pytest.raises(UsageError, match=r"unknown map 'map_9_9'"):
        network.feature_maps(torch.rand(1, 3, 16, 16), ["map_9_9"])
    network.recompute = "column"
    with pytest.raises(UsageError, match="recompute: column keeps no feature maps"):
        network.train().feature_maps(torch.rand(2, 3, 16, 16), ["map_0_1"])
