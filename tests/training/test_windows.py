"""Windows, scales and mirrored views: seamless, complete, and one batch of windows at a time."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn

from gridgen.emit import GridNetwork
from gridgen.errors import SizeError, SpecError
from gridgen.grid import build_grid
from gridgen.images.rows import ImageRows
from gridgen.spec import GridSpec
from gridgen.training import bands
from gridgen.training.bands import infer, infer_bands, rows_held
from gridgen.training.inference import INFERENCES, WHOLE, Inference
from gridgen.training.windows import _gaussian, offsets, views

SPEC = GridSpec(streams=3, columns="1+1", base_channels=2, classes=3, size="error")
SIDES = st.integers(1, 70)


@pytest.fixture
def pointwise():
    torch.manual_seed(0)
    return nn.Conv2d(3, 4, 1).eval()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return GridNetwork(build_grid(SPEC.but(size="pad"))).eval()


class Recorder(nn.Module):
    """Remembers the shapes that it was given."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def forward(self, images):
        self.shapes.append(tuple(images.shape))
        return images


def test_a_plain_whole_image_is_the_networks_own_prediction(network):
    image = torch.rand(3, 21, 30)
    assert torch.equal(infer(network, image), network(image[None]))
    assert torch.equal(infer(network, image[None]), network(image[None]))


@given(SIDES, SIDES, st.integers(8, 40), st.data())
@settings(max_examples=60)
def test_windows_of_a_network_that_sees_one_pixel_are_the_whole_image(height, width, side, data):
    torch.manual_seed(0)
    network, image = nn.Conv2d(3, 4, 1), torch.rand(3, height, width)
    inference = Inference(
        window=side,
        stride=data.draw(st.integers(1, side)),
        weighting=data.draw(st.sampled_from(["uniform", "gaussian"])),
        flip=data.draw(st.booleans()),
        batch=data.draw(st.integers(1, 5)),
    )
    with torch.no_grad():
        found, expected = infer(network, image, inference), network(image[None])
    # A pixel is the sum of as many windows as cover it, a thousand and more where they lie close.
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@given(SIDES, SIDES, st.integers(8, 80), st.lists(st.floats(0.2, 4), min_size=1, max_size=3))
@settings(max_examples=200)
def test_every_pixel_is_in_a_window_and_every_window_in_the_image(height, width, side, scales):
    inference = Inference(scales=tuple(set(scales)), window=side)
    for view in views(inference, (height, width), SPEC):
        seen = torch.zeros(height, width)
        for top, left in view.places:
            assert 0 <= top <= height - view.size[0]
            assert 0 <= left <= width - view.size[1]
            seen[top : top + view.size[0], left : left + view.size[1]] += 1
        assert seen.min() >= 1
        assert len(set(view.places)) == len(view.places)


@given(st.integers(1, 5000), st.data())
def test_offsets_leave_no_gap(length, data):
    side = data.draw(st.integers(1, length))
    stride = data.draw(st.integers(1, side))
    places = offsets(length, side, stride)
    assert places[0] == 0
    assert places[-1] == length - side
    assert all(0 < b - a <= stride for a, b in pairwise(places))


@pytest.mark.parametrize("side", [1, 2, 8, 400, 1024, 8192])
def test_weights_are_positive_to_the_corner(side):
    edge = _gaussian(side)
    assert edge.min() > 0
    assert (edge[0] * edge[0]) > 1e-8
    assert torch.equal(edge, edge.flip(0))


@pytest.mark.parametrize("name", INFERENCES)
@pytest.mark.parametrize("size", [(1, 1), (5, 90), (37, 64)])
def test_every_inference_gives_a_prediction_of_the_images_size(name, size, network):
    prediction = infer(network, torch.rand(3, *size), INFERENCES[name])
    assert prediction.shape == (1, 3, *size)
    assert prediction.isfinite().all()


@pytest.mark.parametrize("name", INFERENCES)
def test_constant_images_are_predicted_alike_at_every_scale(name, pointwise):
    image = torch.full((3, 50, 61), 0.3)
    with torch.no_grad():
        expected = pointwise(image[None])
    torch.testing.assert_close(infer(pointwise, image, INFERENCES[name]), expected)


def test_mirrored_views_make_any_network_equivariant(network):
    image, both = torch.rand(3, 24, 40), Inference(flip=True)
    mirrored = infer(network, image.flip(-1), both)
    torch.testing.assert_close(mirrored, infer(network, image, both).flip(-1))
    assert not torch.allclose(infer(network, image.flip(-1)), infer(network, image).flip(-1))


def test_the_mean_is_over_views_by_their_weights(network):
    image = torch.rand(3, 24, 40)
    with torch.no_grad():
        each = network(image[None]), network(image[None].flip(-1)).flip(-1)
    torch.testing.assert_close(infer(network, image, Inference(flip=True)), sum(each) / 2)


def test_gaussian_windows_have_fainter_seams_than_uniform_ones(network):
    image = torch.rand(3, 96, 96)
    whole = infer(network, image)
    uniform, gaussian = (
        (infer(network, image, Inference(window=48, weighting=name)) - whole).abs().mean()
        for name in ("uniform", "gaussian")
    )
    assert gaussian < 0.7 * uniform


def test_no_more_windows_than_a_batch_are_given_at_a_time():
    recorder = Recorder()
    infer(recorder, torch.rand(3, 40, 40), Inference(window=16, stride=8, batch=3))
    assert recorder.shapes == [(3, 3, 16, 16)] * 5 + [(1, 3, 16, 16)]


def test_the_batch_changes_nothing_else(network):
    image = torch.rand(3, 50, 50)
    one, many = (infer(network, image, Inference(window=16, batch=batch)) for batch in (1, 8))
    torch.testing.assert_close(one, many)


class Rows:
    """An image of which it is remembered which rows were asked for."""

    def __init__(self, levels, rows_at_once):
        self.whole, self.rows_at_once, self.asked = ImageRows(levels), rows_at_once, []
        self.size = self.whole.size

    def rows(self, top, bottom):
        self.asked.append((top, bottom))
        return self.whole.rows(top, bottom)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("together", [1, 16, 1000])
@pytest.mark.parametrize("name", INFERENCES)
def test_bands_ask_for_each_row_once_and_are_the_whole_prediction(name, together, batch):
    network, image = nn.Conv2d(3, 2, 1), torch.rand(3, 1100, 40)
    inference = INFERENCES[name].but(batch=batch)
    rows = Rows(image, together)
    bands = list(infer_bands(network, rows, inference))
    tops, bottoms = zip(*rows.asked, strict=True)
    assert tops == (0, *bottoms[:-1])
    assert bottoms[-1] == 1100
    assert all(bottom % together == 0 for bottom in bottoms[:-1])
    assert torch.equal(torch.cat([band.image.levels for band in bands], 1), image)
    whole = torch.cat([band.prediction for band in bands], 2)
    assert torch.equal(whole, infer(network, image, inference))
    assert (len(bands) > 1) == (inference.window is not None)


@pytest.mark.parametrize(
    ("inference", "most"),
    [
        (Inference(window=16), 16),
        (Inference(window=16, stride=4), 16),
        (Inference(window=16, scales=(0.5, 1)), 32),
        (Inference(scales=(0.5, 1)), 100),
    ],
)
def test_no_more_rows_are_held_than_windows_reach(inference, most, monkeypatch):
    held = []
    release = bands._Held.release

    def recorded(self, until):
        held.append((self._rows.size[0], self._total.shape[-2]))
        return release(self, until)

    monkeypatch.setattr(bands._Held, "release", recorded)
    infer(nn.Conv2d(3, 2, 1), torch.rand(3, 100, 40), inference)
    assert max(held) == (most, most)
    assert rows_held(inference, (100, 40), None) == most


def test_rows_without_a_value_stay_beside_those_that_have_one():
    levels, valid = torch.rand(2, 4, 5), torch.rand(4, 5) > 0.5
    rows = ImageRows(levels, valid)
    for upper, lower in ((rows, ImageRows(levels)), (ImageRows(levels), rows)):
        both = upper.followed_by(lower)
        assert torch.equal(both.levels, torch.cat([levels, levels], 1))
        masks = [
            torch.ones(4, 5, dtype=torch.bool) if x.valid is None else x.valid
            for x in (upper, lower)
        ]
        assert torch.equal(both.valid, torch.cat(masks))
    assert ImageRows(levels).followed_by(ImageRows(levels)).valid is None


def test_the_papers_windows_of_400_to_1000_pixels_are_given_at_400():
    looks = list(views(INFERENCES["paper"], (1024, 2048), SPEC))
    assert [view.size[0] for view in looks if not view.flip] == [*range(400, 1001, 100)]
    assert {view.given for view in looks} == {(400, 400)}
    assert sum(view.flip for view in looks) == 7
    first = [left for top, left in looks[0].places if top == 0]
    assert first == [0, 300, 600, 900, 1200, 1500, 1648]


def test_a_scaled_size_is_one_that_the_grid_takes(network):
    strict = GridNetwork(build_grid(SPEC)).eval()
    assert infer(strict, torch.rand(3, 40, 44), INFERENCES["multiscale"]).shape == (1, 3, 40, 44)
    with pytest.raises(SizeError):
        infer(strict, torch.rand(3, 41, 44), INFERENCES["multiscale"])


def test_bf16_gives_fp32_sums_that_are_near(network):
    image = torch.rand(3, 32, 32)
    for inference in (WHOLE, Inference(window=16)):
        near = infer(network, image, inference.but(precision="bf16"))
        exact = infer(network, image, inference)
        assert near.dtype == torch.float32
        assert 0 < (near - exact).abs().max() < 0.1 * exact.abs().max()


class Ones(nn.Module):
    """Says 1 of every pixel, in the images' own dtype."""

    def forward(self, images):
        return torch.ones_like(images)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("weighting", ["uniform", "gaussian"])
def test_sums_and_the_prediction_are_fp32_whatever_the_image_is(dtype, weighting):
    image = torch.rand(3, 60, 71).to(dtype)
    for inference in (WHOLE, Inference(window=16, stride=3, weighting=weighting, scales=(0.5, 1))):
        found = infer(Ones(), image, inference)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, torch.ones_like(found), rtol=0, atol=2e-6)


def of_dimensions(number):
    return GridNetwork(SPEC.but(dimensions=number, size="pad", streams=2)).eval()


WANTED = {
    1: "give one, (C, length) or (1, C, length)",
    2: "give one, (C, height, width) or (1, C, height, width)",
    3: "give one, (C, depth, height, width) or (1, C, depth, height, width)",
}


@pytest.mark.parametrize("dimensions", WANTED)
def test_what_is_no_single_image_is_refused(dimensions):
    network, sides = of_dimensions(dimensions), (8,) * dimensions
    for shape, fact in {
        (): "a single value is no image",
        (8,): "8 is no image",
        (3, 0, *sides[1:]): f"{'x'.join(map(str, (3, 0, *sides[1:])))} is no image",
        (2, 3, *sides): f"2 images are given, {'x'.join(map(str, (2, 3, *sides)))}",
        (1, 1, 3, *sides): f"{'x'.join(map(str, (1, 1, 3, *sides)))} is no image",
    }.items():
        with pytest.raises(SizeError) as caught:
            infer(network, torch.rand(shape))
        assert str(caught.value) == f"{fact}; {WANTED[dimensions]}"


def test_a_module_that_is_no_grid_is_taken_for_one_of_images(pointwise):
    with pytest.raises(SizeError) as caught:
        infer(pointwise, torch.rand(8, 8), "windows")
    assert str(caught.value) == f"8x8 is no image; {WANTED[2]}"


@pytest.mark.parametrize("dimensions", [1, 3])
def test_signals_and_volumes_are_seen_whole_and_in_no_other_way(dimensions):
    network, whole = of_dimensions(dimensions), torch.rand(3, *(7,) * dimensions)
    with torch.no_grad():
        expected = network(whole[None])
    assert torch.equal(infer(network, whole), expected)
    assert torch.equal(infer(network, whole[None], Inference(batch=2)), expected)
    for inference, told in {
        Inference(flip=True): "whole images, mirrored too, fp32",
        Inference(window=8): "windows of 8, fp32",
        Inference(scales=(0.5,)): "whole images, scales 0.5, fp32",
    }.items():
        with pytest.raises(SpecError) as caught:
            infer(network, whole, inference)
        assert str(caught.value) == (
            f"inference: {told}, but the network has dimensions: {dimensions}; only images are "
            "seen so, set inference: whole"
        )
