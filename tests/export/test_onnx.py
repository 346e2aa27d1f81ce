"""ONNX files give what torch gives, at batches and sizes that the export never saw."""

import json

import numpy as np
import pytest
import torch
from small import small_grid

from gridgen.emit import GridNetwork
from gridgen.errors import ExportError, SizeError
from gridgen.export.onnx import onnx_of
from gridgen.export.unseen import CLOSE, Compared
from gridgen.grid import build_grid
from gridgen.spec import GridSpec

onnx = pytest.importorskip("onnx", reason="gridgen[onnx] is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="gridgen[onnx] is not installed")

SPEC = GridSpec(streams=3, columns="2+2", base_channels=4, classes=3)
# torch takes about a tenth of a second for each layer.
FEW = SPEC.but(columns="1+1")
GRIDS = {
    "error": lambda: build_grid(SPEC),
    "crop": lambda: build_grid(FEW.but(size="crop")),
    "resize, concatenation": lambda: build_grid(FEW.but(size="resize", fusion="concat")),
    "pad, weighted": lambda: build_grid(SPEC.but(size="pad", fusion="weighted", topology="unet")),
    "signals": lambda: build_grid(SPEC.but(dimensions=1, size="pad")),
    "volumes": lambda: build_grid(SPEC.but(streams=2, dimensions=3, norm="instance", size="pad")),
    "max-pooling, bilinear": lambda: build_grid(
        FEW.but(units={"subsampling": "max-pool", "upsampling": "bilinear"}, size="pad")
    ),
    "unet-2015": lambda: small_grid("unet-2015", size="resize"),
    "pspnet": lambda: small_grid("pspnet", size="crop"),
    "bifpn": lambda: small_grid("bifpn", size="pad", repeats=2),
}


def network(grid, seed=0):
    torch.manual_seed(seed)
    return GridNetwork(grid).eval()


@pytest.mark.parametrize("name", GRIDS)
def test_it_gives_what_torch_gives_at_sizes_that_it_never_saw(name):
    grid = GRIDS[name]()
    module = network(grid)
    raw, compared = onnx_of(module, {"classes": ["a", "b"]})
    assert len(compared) == 3
    assert all(each.difference <= CLOSE for each in compared)
    # And at one more, by hand.
    session = onnxruntime.InferenceSession(raw)
    side = max(grid.spec.least, grid.spec.multiple) * 2
    more = 0 if grid.spec.size == "error" else 1
    images = torch.rand(1, grid.spec.in_channels, *[side + more] * grid.spec.dimensions)
    with torch.no_grad():
        ours = module(images)
    (theirs,) = session.run(["prediction"], {"images": images.numpy()})
    assert theirs.shape == tuple(ours.shape)
    assert np.abs(theirs - ours.numpy()).max() <= CLOSE * float(ours.abs().max())


def test_metadata_say_what_it_is_and_no_place_of_this_machine():
    raw, _ = onnx_of(network(build_grid(SPEC)), {"classes": ["</script>", '"""']}, verify=False)
    told = {each.key: json.loads(each.value) for each in onnx.load_from_string(raw).metadata_props}
    assert told["classes"] == ["</script>", '"""']
    assert GridSpec(**told["spec"]) == SPEC
    assert told["sizes"] == {"policy": "error", "multiple": 4, "least": 4}
    assert b"site-packages" not in raw
    assert b".py" not in raw


def test_a_size_that_the_network_cannot_take_is_known_to_the_reader():
    module = network(build_grid(SPEC))
    with pytest.raises(SizeError):
        module(torch.rand(1, 3, 10, 12))
    session = onnxruntime.InferenceSession(onnx_of(module, {}, verify=False)[0])
    assert session.get_inputs()[0].shape == ["batch", 3, "4*_height", "4*_width"]


def test_other_numbers_are_refused(monkeypatch):
    module = network(build_grid(SPEC.but(streams=2, columns="1+1")))
    monkeypatch.setattr("gridgen.export.unseen.CLOSE", -1.0)
    with pytest.raises(ExportError, match=r"^ONNX differs by .*; nothing is written"):
        onnx_of(module, {})


def test_features_beside_the_image_are_refused_by_name():
    module = network(build_grid(SPEC.but(side_channels=[5, 6])))
    with pytest.raises(ExportError) as caught:
        onnx_of(module, {})
    assert str(caught.value) == (
        "ONNX: features that enter beside the image are not exported; use source"
    )


def test_a_comparison_is_told_in_a_line():
    assert str(Compared((1, 3, 8, 12), 2.13e-7)) == "2e-07 at 1x3x8x12"
