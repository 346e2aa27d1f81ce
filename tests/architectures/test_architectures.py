"""What holds for every published network in the list."""

import re
from functools import cache
from pathlib import Path

import pytest
import torch

import gridgen
from gridgen.analysis import count, legal_size
from gridgen.analysis.sizes import larger_size, smaller_size
from gridgen.architectures import load_spec, spec_of
from gridgen.architectures.names import ARCHITECTURES
from gridgen.architectures.unet_2015 import Unet2015
from gridgen.emit import GridNetwork
from gridgen.errors import GridError, SizeError, SpecError, TopologyError, unknown
from gridgen.grid import Draft, FeatureMap, Grid, build_grid
from gridgen.grid.lattices import chain, trellis, triangle
from gridgen.grid.layers import Conv
from gridgen.grid.tracing import trace
from gridgen.spec import GridSpec
from gridgen.testing import check_counts, check_gradients
from gridgen.testing.oracles import network_on_meta

SIZES = [(360, 480), (401, 399), (33, 65)]
ROOM = Path(gridgen.__file__).parent / "architectures"


def fabric():
    yield from chain(0, range(6))
    for column in range(1, 8):
        yield from trellis(range(6), column, span=1)
    yield from chain(7, range(5, -1, -1))


def opened_trellis():
    """Stream i opens in column i; at the end all meet at X(0, 13)."""
    for column in range(1, 13):
        links = trellis(range(4), column, span=1)
        yield from (link for link in links if link[0].stream < column and link[1].stream <= column)
    yield from ((FeatureMap(i, 12), FeatureMap(0, 13)) for i in range(4))


def exchanges():
    """Stages of 1, 4 and 3 exchanges; each opens a stream below, and all meet at X(0, 14)."""
    yield FeatureMap(0, 0), FeatureMap(0, 1)
    column = 1
    for lowest, modules in enumerate((1, 4, 3), start=1):
        yield from chain(column, range(lowest - 1, lowest + 1))
        for module in range(modules + 1):
            column += 1
            yield from trellis(range(lowest + 1), column, span=lowest if module else 0)
    yield from ((FeatureMap(i, column), FeatureMap(0, column + 1)) for i in range(4))


LATTICES = {
    "unet++": lambda: triangle(5),
    "hrnet": exchanges,
    "neural-fabric": fabric,
    "deeplab-trellis": opened_trellis,
}


@cache
def grid_of(name: str, policy: str = "pad") -> Grid:
    return build_grid(load_spec(name, size=policy))


def source_of(name: str) -> Path:
    return Path(__import__(ARCHITECTURES[name].__module__, fromlist=["x"]).__file__)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_counts_are_those_of_the_module_and_a_gradient_reaches_every_parameter(name, size):
    grid = grid_of(name)
    check_counts(grid, size)
    check_gradients(grid, size, device="meta")


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_size_runs_or_is_refused_with_the_nearest_legal_ones(name, size):
    spec = load_spec(name)
    assert spec.size == "error"
    network = network_on_meta(build_grid(spec)).eval()
    larger, smaller = larger_size(spec, size), smaller_size(spec, size)
    for legal in filter(None, (larger, smaller)):
        assert network(_image(spec, legal)).shape == (1, spec.classes, *legal)
    if size in (larger, smaller):
        return
    with pytest.raises(SizeError) as caught:
        network(_image(spec, size))
    crop = f", crop to {smaller[0]}x{smaller[1]}" if smaller else ""
    assert str(caught.value) == (
        f"Image is {size[0]}x{size[1]}; {spec.needs}. "
        f"Pad to {larger[0]}x{larger[1]}{crop}, or set size: pad."
    )


@pytest.mark.parametrize("policy", ["crop", "resize"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_policy_predicts_at_the_size_of_the_image(name, policy):
    grid = grid_of(name, policy)
    network = network_on_meta(grid).eval()
    for size in SIZES:
        try:
            legal_size(grid.spec, size)
        except SizeError:
            assert policy == "crop"
            assert smaller_size(grid.spec, size) is None
            continue
        assert network(_image(grid.spec, size)).shape == (1, grid.spec.classes, *size)


def _image(spec, size):
    return torch.empty(1, spec.in_channels, *size, device="meta")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_a_network_says_it_needs_is_not_more_than_it_needs(name):
    grid = build_grid(load_spec(name))
    multiple, least = grid.spec.multiple, grid.spec.least
    for side in {least + multiple // 2, least - multiple} - {least, 0}:
        try:
            predicted = trace(grid, (side, side)).head.shape[1:]
        except GridError:
            continue
        assert predicted != (side, side)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_spec_survives_being_stored_and_gives_the_same_grid(name):
    spec = load_spec(name)
    for stored in (spec.plain(), spec.complete()):
        again = spec_of(stored)
        assert again == spec
        assert build_grid(again).connections == build_grid(spec).connections


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_channels_and_classes_are_those_asked_for(name):
    grid = build_grid(load_spec(name, in_channels=2, classes=5))
    prediction = network_on_meta(grid).eval()(_image(grid.spec, (grid.spec.least,) * 2))
    assert prediction.shape[1] == 5


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_network_is_one_short_file_with_its_citation(name):
    assert len(source_of(name).read_text("utf-8").splitlines()) <= 120
    docstring = ARCHITECTURES[name].__doc__ or ""
    assert re.search(r"\b(19|20)\d\d\b", docstring.split("\n\n")[0]), "no year in the citation"
    for word in ("Keeps", "Adds", "Parameters"):
        assert word in docstring


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_parameters_that_the_docstring_states_are_those_counted(name):
    total = count(grid_of(name)).parameters.total
    assert f"{total:,}" in (ARCHITECTURES[name].__doc__ or "")


@pytest.mark.parametrize("name", LATTICES)
def test_networks_that_are_lattices_have_the_links_of_their_rule(name):
    assert {(c.source, c.target) for c in grid_of(name)} == set(LATTICES[name]())


def test_a_grid_that_its_spec_does_not_build_is_not_stored(tmp_path):
    spec = GridSpec(streams=1, columns="1+1", base_channels=4, classes=3)
    draft = Draft()
    draft.connect((0, 0), (0, 1), (Conv(4, 8),))
    grid = draft.grid(spec, stem=(Conv(3, 4),), head=(Conv(8, 3, kernel=1),))
    message = (
        "the spec of gridnet builds another grid than this one, so it could not be loaded again; "
        "train its GridNetwork yourself, or add an architecture"
    )
    with pytest.raises(GridError) as caught:
        gridgen.save_network(GridNetwork(grid), tmp_path / "mine.safetensors")
    assert str(caught.value) == message
    with pytest.raises(GridError) as caught:
        gridgen.train(grid, "shapes", folder=tmp_path / "run")
    assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_nobody_can_look_up_is_not_stored(tmp_path):
    class Mine(Unet2015):
        architecture: str

    grid = build_grid(Mine(architecture="mine", base_channels=2))
    with pytest.raises(GridError) as caught:
        gridgen.save_network(GridNetwork(grid), tmp_path / "mine.safetensors")
    assert str(caught.value).startswith("mine: unknown architecture 'mine'")


def test_weights_of_an_architecture_are_saved_and_loaded_with_its_spec(tmp_path):
    network = GridNetwork(build_grid(load_spec("unet-2015", base_channels=2))).eval()
    loaded = gridgen.load_network(gridgen.save_network(network, tmp_path / "u.safetensors"))
    image = torch.rand(1, 1, 16, 32)
    assert loaded.grid.spec == network.grid.spec
    torch.testing.assert_close(loaded(image), network(image))


def test_a_custom_topology_leaves_one_path_of_a_search_space():
    keep = ["lateral_0_1", "sub_1_2_from_0_1", "lateral_1_*", "up_0_13_from_1_12"]
    grid = build_grid(load_spec("deeplab-trellis", topology={"keep": keep}))
    assert (len(grid.connections), count(grid).paths) == (13, 1)
    assert build_grid(grid.spec).connections == grid.connections
    network = GridNetwork(grid).eval()
    assert network(torch.rand(1, 3, 32, 64)).shape == (1, 19, 32, 64)
    assert count(grid).parameters.total == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("name", "drop", "message"),
    [
        (
            "unet-2015",
            "lateral_0_1",
            "topology: X(0, 1) concatenates 2 maps; keep all of the connections into it, or none",
        ),
        (
            "frrn-a",
            "sub_1_2_from_0_1",
            "topology: X(1, 2) concatenates 2 maps; keep all of the connections into it, or none",
        ),
    ],
)
def test_a_concatenation_is_not_robbed_of_its_channels(name, drop, message):
    with pytest.raises(TopologyError) as caught:
        build_grid(load_spec(name, topology={"drop": [drop]}))
    assert str(caught.value) == message


def test_a_file_names_an_architecture(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("architecture: unet-2015\nbase_channels: 8\n")
    assert build_grid(load_spec(path)).channels_of(gridgen.FeatureMap(0, 0)) == 8
    assert isinstance(load_spec("specs/gridnet.yaml"), GridSpec)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "architecture: unet-2016\n",
            (
                "mine.yaml:1:15: architecture: "
                f"{unknown('architecture', 'unet-2016', ['unet-2015'])}"
                "\n     1 | architecture: unet-2016\n       |               ^"
            ),
        ),
        (
            "architecture: unet-2015\nclases: 3\n",
            (
                f"mine.yaml:2:1: clases: {unknown('field', 'clases', ['classes'])}\n"
                "     2 | clases: 3\n       | ^"
            ),
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_shown(text, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(text)
    with pytest.raises(SpecError) as caught:
        load_spec("mine.yaml")
    assert str(caught.value) == message
