"""The network as one Python file: equal to GridNetwork, formatted as ruff does, strictly typed."""

import ast
import inspect
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from strategies import specs

from gridgen.emit import GridNetwork
from gridgen.export import source_of
from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from tests.unchanged.networks import CASES
from tests.unchanged.observing import grid_of, size_of

SPEC = GridSpec(streams=3, columns="2+2", base_channels=4, classes=3)


def network_in(text):
    """The class that a source file defines, run as a module of its own."""
    names = {"__name__": "network"}
    exec(compile(text, "network.py", "exec"), names)
    return names["Network"]


def both(grid):
    """The network by gridgen and by its source, each begun with the same seed."""
    networks = []
    for kind in (lambda: GridNetwork(grid), network_in(source_of(grid))):
        torch.manual_seed(3)
        networks.append(kind())
    return networks


def moved(network):
    """Statistics and weights as of a network that was trained: none is 0 or 1."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_((torch.rand(tensor.shape, generator=generator) - 0.5) * 0.02)
    return network


def difference(one, other):
    """The greatest difference, in units of the greatest value."""
    return float((one - other).abs().max() / one.abs().max().clamp(min=1e-9))


def inputs_of(spec, grid, size):
    """A batch of images, and features for each side that the topology keeps."""
    images = torch.rand(2, spec.in_channels, *size)
    kept = {side.target.stream: side for side in grid.sides}
    if not grid.full.sides:
        return (images,)
    features = []
    for side in grid.full.sides:
        stream = side.target.stream
        shape = 2, side.channels, *(each >> stream for each in size)
        features.append(torch.rand(shape) if stream in kept and stream != 2 else None)
    return images, features


@pytest.mark.parametrize("case", CASES.values(), ids=str)
def test_it_computes_what_grid_network_computes(case):
    grid = grid_of(case)
    ours, source = both(grid)
    assert list(ours.state_dict()) == list(source.state_dict())
    for one, other in zip(ours.state_dict().values(), source.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    given = inputs_of(grid.spec, grid, size_of(case, grid.spec))
    require_trained_alike(grid, given)
    moved(ours).eval()
    source.load_state_dict(ours.state_dict())
    with torch.no_grad():
        assert torch.equal(ours(*given), source.eval()(*given))


def require_trained_alike(grid, given):
    """Equal outputs and gradients in double precision.

    In fp32 the two round differently: the network computes deconvolutions of stride 1 by flipped
    kernels in training (`emit/flipped.py`), and BNs of few values make more of the difference.
    """
    images, *features = given
    given = (
        images.double(),
        *([each if each is None else each.double() for each in sides] for sides in features),
    )
    networks = [network.double().train() for network in both(grid)]
    for seed in range(3):
        results = []
        for network in networks:
            network.zero_grad()
            torch.manual_seed(seed)
            output = network(*given)
            output.square().mean().backward()
            results.append((output.detach(), [p.grad for p in network.parameters()]))
        (one, of_one), (other, of_other) = results
        assert difference(one, other) < 1e-12
        # A unit that was left out has a gradient in neither.
        assert [each is None for each in of_one] == [each is None for each in of_other]
        largest = max(float(each.abs().max()) for each in of_one if each is not None)
        for first, second in zip(of_one, of_other, strict=True):
            assert first is None or float((first - second).abs().max()) <= 1e-10 * largest


@pytest.mark.parametrize("case", CASES.values(), ids=str)
def test_sizes_that_do_not_fit_are_brought_there_and_back(case):
    grid = grid_of(case)
    if grid.spec.multiple == 1 and grid.spec.least <= 1:
        return
    ours, source = both(grid)
    images = torch.rand(1, grid.spec.in_channels, *(side + 3 for side in size_of(case, grid.spec)))
    with torch.no_grad():
        if grid.spec.size == "error":
            with pytest.raises(ValueError, match="their sides must be multiples of"):
                source.eval()(images)
        else:
            assert torch.equal(ours.eval()(images), source.eval()(images))


@pytest.mark.parametrize("fusion", ["sum", "concat", "weighted"])
def test_only_the_last_map_is_left_when_the_head_runs(fusion):
    grid = build_grid(SPEC.but(fusion=fusion, size="pad", residual={"vertical": True}))
    network, left = network_in(source_of(grid))().eval(), set()

    def look(*_):
        frame = inspect.currentframe()
        while frame.f_code.co_name != "forward" or frame.f_locals["self"] is not network:
            frame = frame.f_back
        left.update(set(frame.f_locals) - {"self", "images"})

    network.head.register_forward_pre_hook(look)
    network(torch.rand(1, 3, 17, 17))
    assert left == {"map_0_3"}


@settings(max_examples=40)
@given(specs(max_streams=4))
def test_of_any_spec(spec):
    grid = build_grid(spec)
    ours, source = both(grid)
    size = [max(spec.least, 2 * spec.multiple)] * 2
    images = torch.rand(1, spec.in_channels, *size, dtype=torch.double)
    with torch.no_grad():
        one = moved(ours).double().eval()(images)
        source.load_state_dict(ours.state_dict())
        other = source.double().eval()(images)
    # In fp32, where torch chooses another memory format for a map, it adds up in another order, of
    # which instance normalization of a few values makes more.
    assert difference(one, other) < 1e-10


@pytest.mark.slow
def test_ruff_would_not_format_it_otherwise_and_mypy_is_content(tmp_path):
    for number, case in enumerate(CASES.values()):
        (tmp_path / f"network_{number}.py").write_text(source_of(grid_of(case)), "utf-8")
    long = SPEC.but(streams=5, columns=["up", "sub", "up", "sub"])  # many maps are deleted at once
    (tmp_path / "long.py").write_text(source_of(long), "utf-8")
    for dimensions in (1, 3):
        text = source_of(SPEC.but(dimensions=dimensions, size="resize"))
        (tmp_path / f"dimensions_{dimensions}.py").write_text(text, "utf-8")
    for command in (
        ("ruff", "format", "--isolated", "--diff", "."),
        ("ruff", "check", "--isolated", "--select", "E,F,I,N,W", "."),
        ("mypy", "--strict", "--no-error-summary", "."),
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_it_imports_torch_alone():
    for case in CASES.values():
        tree = ast.parse(source_of(grid_of(case)))
        froms = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        plain = [
            name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for name in node.names
        ]
        assert {*froms, *plain} <= {"torch", "torch.nn", "collections.abc"}
