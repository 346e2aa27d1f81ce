"""Programs of torch.export: loaded by torch alone, any batch and size."""

import json
from io import BytesIO
from itertools import cycle

import pytest
import torch
from small import SMALL, small_grid

from gridgen.emit import GridNetwork
from gridgen.errors import ExportError
from gridgen.export.exported_program import ABOUT, exported_program_of
from gridgen.grid import build_grid
from gridgen.spec import GridSpec

SPEC = GridSpec(streams=3, columns="2+2", base_channels=4, classes=3)
POLICIES = ("error", "pad", "crop", "resize")
GRIDS = {
    **{policy: lambda p=policy: build_grid(SPEC.but(size=p)) for policy in POLICIES},
    "signals": lambda: build_grid(SPEC.but(dimensions=1, size="pad")),
    "volumes": lambda: build_grid(SPEC.but(streams=2, dimensions=3, size="pad")),
    # The others are in benchmarks/exports.py; these have what is odd.
    **{
        name: lambda name=name, size=size: small_grid(name, size=size)
        for name, size in zip(("deconvnet", "unet++", "preact-resnet"), cycle(POLICIES))
    },
}


@pytest.mark.parametrize("name", GRIDS)
def test_it_gives_what_torch_gives_at_sizes_that_it_never_saw(name):
    torch.manual_seed(0)
    network = GridNetwork(GRIDS[name]())
    raw, compared = exported_program_of(network, {"classes": ["a"]})
    assert len(compared) == 3
    extra = {ABOUT: ""}
    program = torch.export.load(BytesIO(raw), extra_files=extra).module()
    told = json.loads(extra[ABOUT])
    assert told["classes"] == ["a"]
    assert told["spec"] == network.grid.spec.complete()
    assert b"site-packages" not in raw
    side = 3 * network.grid.spec.multiple + network.grid.spec.least
    images = torch.rand(5, network.grid.spec.in_channels, *[side] * network.grid.spec.dimensions)
    with torch.no_grad():
        assert torch.allclose(program(images), network(images), atol=1e-5)


def test_features_beside_the_image_are_refused_by_name():
    grid = build_grid(SPEC.but(side_channels=[3, 4]))
    with pytest.raises(ExportError, match="features that enter beside the image"):
        exported_program_of(GridNetwork(grid), {})


def test_other_numbers_are_refused(monkeypatch):
    monkeypatch.setattr("gridgen.export.unseen.CLOSE", -1.0)
    with pytest.raises(ExportError, match=r"^torch.export differs by .*; nothing is written"):
        exported_program_of(GridNetwork(build_grid(SPEC.but(streams=2, columns="1+1"))), {})


def test_all_published_networks_are_in_a_table():
    assert set(SMALL) >= {"deconvnet", "unet++", "preact-resnet"}
