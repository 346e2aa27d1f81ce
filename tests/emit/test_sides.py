"""Features that enter beside the image: counted, added, kept with the weights, and checked."""

import pytest
import torch

from gridgen.analysis import count
from gridgen.emit import GridNetwork, load_network, save_network
from gridgen.errors import SizeError
from gridgen.grid import build_grid, prune
from gridgen.spec import GridSpec
from gridgen.testing import check_counts

SPEC = GridSpec(
    streams=3,
    columns="2+2",
    channels=[4, 6, 8],
    side_channels=[5, 7],
    in_channels=2,
    classes=2,
    units={"upsampling": "bilinear"},
    norm="none",
    activation="prelu",
    stem="residual",
    head="residual",
    size="pad",
)
GRID = build_grid(SPEC)


def given(number: int = 2, height: int = 8, width: int = 16) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [
        torch.rand(number, 5, height // 2, width // 2),
        torch.rand(number, 7, height // 4, width // 4),
    ]


@pytest.fixture(scope="module")
def network() -> GridNetwork:
    torch.manual_seed(0)
    return GridNetwork(GRID).eval()


@pytest.mark.parametrize("stem", ["conv", "residual"])
def test_the_counts_are_those_of_the_module_with_all_features(stem):
    check_counts(build_grid(SPEC.but(stem=stem)), (8, 16))


def test_the_blocks_of_the_features_are_counted_with_the_stem():
    plain = count(build_grid(SPEC.but(side_channels=None)))
    counted = count(GRID)
    # Conv-PReLU-conv beside a 1x1 convolution, from C to F: 9CF + F + F + 9F^2 + F + CF + F.
    blocks = sum(10 * c * f + 9 * f * f + 4 * f for c, f in ((5, 6), (7, 8)))
    assert counted.parameters.stem == plain.parameters.stem + blocks
    assert counted.parameters.grid == plain.parameters.grid


def test_where_nothing_is_given_nothing_is_added(network):
    plain = GridNetwork(build_grid(SPEC.but(side_channels=None))).eval()
    plain.load_state_dict(
        {k: v for k, v in network.state_dict().items() if not k.startswith("sides.")}
    )
    image = torch.rand(2, 2, 8, 16)
    assert torch.equal(network(image), plain(image))
    assert torch.equal(network(image, [None, None]), plain(image))


@pytest.mark.parametrize("stream", [1, 2])
def test_every_feature_counts_and_gets_a_gradient(network, stream):
    image = torch.rand(2, 2, 8, 16)
    features = [f if i == stream else None for i, f in enumerate(given(), 1)]
    features[stream - 1].requires_grad_()
    prediction = network(image, features)
    assert not torch.allclose(prediction, network(image))
    prediction.square().sum().backward()
    assert features[stream - 1].grad.abs().max() > 0
    assert all(p.grad is not None for p in network.sides[f"map_{stream}_0"].parameters())


def test_what_enters_is_added_to_what_the_subsampling_brings():
    """A side whose block gives the negative of what arrives leaves a map of zeros."""
    spec = SPEC.but(streams=2, channels=[4, 6], side_channels=[6])
    network = GridNetwork(build_grid(spec)).eval()
    seen = {}
    network.units["sub_1_0"].register_forward_hook(lambda *a: seen.update(arrives=a[2].clone()))
    network.units["lateral_1_1"].register_forward_hook(lambda *a: seen.update(map=a[1][0].clone()))
    network.sides["map_1_0"] = torch.nn.Identity()
    image, feature = torch.rand(1, 2, 8, 8), torch.rand(1, 6, 4, 4)
    network(image, [feature])
    torch.testing.assert_close(seen["map"], seen["arrives"] + feature)


def test_weights_and_sides_are_saved_and_loaded(network, tmp_path):
    again = load_network(save_network(network, tmp_path / "a.safetensors"))
    assert again.grid.spec == SPEC
    image, features = torch.rand(2, 2, 8, 16), given()
    assert torch.equal(again(image, features), network(image, features))
    assert "sides.map_1_0.0.shortcut.0.weight" in network.state_dict()


def test_features_belong_to_the_fitted_image(network):
    image = torch.rand(1, 2, 7, 13)
    assert network(image, given(1)).shape == (1, 2, 7, 13)


@pytest.mark.parametrize(
    ("features", "text"),
    [
        (
            [None, torch.rand(2, 7, 2, 5)],
            "Features of stream 2 are 2x7x2x5; images of 2x2x8x16 need 2x7x2x4.",
        ),
        (
            [torch.rand(1, 5, 4, 8), None],
            "Features of stream 1 are 1x5x4x8; images of 2x2x8x16 need 2x5x4x8.",
        ),
        (
            [torch.rand(2, 5, 4, 8)],
            "1 features are given; the spec's side_channels have 2. Give one, or None, for each.",
        ),
        (
            [torch.rand(2, 5, 4, 8).half(), None],
            "Features of stream 1 are float16, the network is float32; "
            "give features.to(torch.float32).",
        ),
        (
            [None, torch.zeros(2, 7, 2, 4, dtype=torch.long)],
            "Features of stream 2 are int64; give floating-point values.",
        ),
        (
            [torch.rand(2, 5, 4, 8).numpy(), None],
            "Features of stream 1 are of type ndarray; "
            "give a Tensor, such as torch.from_numpy(array) of floats.",
        ),
        (
            [torch.rand(2, 5, 4, 8, device="meta"), None],
            "Features of stream 1 are on meta, the network is on cpu; "
            "bring both to one device with .to(...).",
        ),
        (
            5,
            "Features are of type int; give a list with a Tensor, or None, for each of "
            "side_channels.",
        ),
        (
            torch.rand(2, 5, 4, 8),
            "Features are of type Tensor; give a list with a Tensor, or None, for each of "
            "side_channels.",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_features_that_do_not_fit_are_one_line(network, features, text):
    with pytest.raises(SizeError) as caught:
        network(torch.rand(2, 2, 8, 16), features)
    assert str(caught.value) == text


def test_a_spec_without_side_channels_takes_no_features():
    network = GridNetwork(build_grid(SPEC.but(side_channels=None)))
    with pytest.raises(SizeError) as caught:
        network(torch.rand(2, 2, 8, 16), given())
    assert str(caught.value) == (
        "2 features are given; the spec's side_channels have 0. Give one, or None, for each."
    )


def test_a_map_that_the_topology_removed_takes_none():
    pruned = prune(GRID, "conv-deconv")
    assert [side.target.name for side in pruned.sides] == ["map_1_0"]
    network = GridNetwork(pruned).eval()
    first, second = given()
    network(torch.rand(2, 2, 8, 16), [first, None])
    with pytest.raises(SizeError) as caught:
        network(torch.rand(2, 2, 8, 16), [first, second])
    assert str(caught.value) == "The topology has no X(2, 0); give None for stream 2."
