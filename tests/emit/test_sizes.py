"""Image sizes that a grid cannot take: what each policy does with image and prediction."""

import pytest
import torch
from hypothesis import given, strategies as st
from torch.nn import functional

from gridgen.analysis.sizes import larger_size, legal_size, nearest_size, smaller_size
from gridgen.emit import GridNetwork
from gridgen.emit.input_sizes import fit, restore
from gridgen.errors import SizeError
from gridgen.grid import build_grid
from gridgen.spec import GridSpec

SPEC = GridSpec(streams=4, columns="1+1", base_channels=2, classes=3)
SIDES = st.integers(8, 70)


@pytest.fixture
def image():
    torch.manual_seed(0)
    return torch.rand(1, 3, 29, 21)


def network_of(policy: str) -> GridNetwork:
    torch.manual_seed(0)
    return GridNetwork(build_grid(SPEC.but(size=policy))).eval()


def test_pad_extends_by_border_values_and_cuts_the_prediction(image):
    padded = functional.pad(image, (1, 2, 1, 2), mode="replicate")
    expected = network_of("error")(padded)[..., 1:30, 1:22]
    torch.testing.assert_close(network_of("pad")(image), expected)


def test_crop_predicts_the_middle_and_repeats_its_border_beyond(image):
    got, middle = network_of("crop")(image), network_of("error")(image[..., 2:26, 2:18])
    torch.testing.assert_close(got[..., 2:26, 2:18], middle)
    torch.testing.assert_close(got[..., 0, 2:18], middle[..., 0, :])
    torch.testing.assert_close(got[..., 28, 2:18], middle[..., -1, :])
    torch.testing.assert_close(got[..., 2:26, 20], middle[..., -1])


def test_resize_predicts_at_the_nearest_legal_size_and_resizes_back(image):
    resized = functional.interpolate(image, (32, 24), mode="bilinear", align_corners=False)
    predicted = network_of("error")(resized)
    back = functional.interpolate(predicted, (29, 21), mode="bilinear", align_corners=False)
    torch.testing.assert_close(network_of("resize")(image), back)


@pytest.mark.parametrize("policy", ["error", "pad", "crop", "resize"])
def test_a_legal_image_is_left_as_it_is(policy):
    spec, image = SPEC.but(size=policy), torch.rand(1, 3, 16, 24)
    assert fit(image, spec) is image
    assert restore(image, spec, (16, 24)) is image


@given(st.sampled_from(["pad", "crop", "resize"]), SIDES, SIDES)
def test_what_is_fitted_is_legal_and_what_is_restored_has_the_images_size(policy, height, width):
    spec = SPEC.but(size=policy)
    fitted = fit(torch.rand(1, 3, height, width), spec)
    assert legal_size(SPEC, tuple(fitted.shape[-2:])) == tuple(fitted.shape[-2:])
    assert restore(fitted, spec, (height, width)).shape[-2:] == (height, width)


@given(SIDES, SIDES)
def test_padding_moves_no_pixel(height, width):
    image, spec = torch.rand(1, 3, height, width), SPEC.but(size="pad")
    assert torch.equal(restore(fit(image, spec), spec, (height, width)), image)


@given(SIDES, SIDES)
def test_cropping_moves_no_pixel_of_the_middle(height, width):
    image, spec = torch.rand(1, 3, height, width), SPEC.but(size="crop")
    restored = restore(fit(image, spec), spec, (height, width))
    inner = [slice(4, side - 4) for side in (height, width)]
    assert torch.equal(restored[0, :, inner[0], inner[1]], image[0, :, inner[0], inner[1]])


@given(st.integers(1, 4096), st.integers(1, 4096))
def test_the_nearest_size_is_the_larger_or_the_smaller(height, width):
    size = height, width
    larger, smaller, nearest = (
        larger_size(SPEC, size),
        smaller_size(SPEC, size),
        nearest_size(SPEC, size),
    )
    for side, low, high, near in zip(size, smaller or (8, 8), larger, nearest, strict=True):
        assert near % 8 == 0
        assert abs(near - side) == min(abs(near - side), abs(low - side), abs(high - side))


def test_an_image_too_small_to_be_cropped_is_refused():
    with pytest.raises(SizeError) as caught:
        network_of("crop")(torch.rand(1, 3, 7, 64))
    assert str(caught.value) == (
        "Image is 7x64; 4 streams need multiples of 8. Pad to 8x64, or set size: pad."
    )


@pytest.mark.parametrize("policy", ["pad", "crop", "resize"])
@pytest.mark.parametrize("example", [(2, 3, 16, 24), (2, 3, 17, 27)], ids=["legal", "illegal"])
def test_an_exported_network_takes_every_size_from_whatever_example(policy, example):
    network = GridNetwork(build_grid(SPEC.but(size=policy, streams=3))).eval()
    sides = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)
    exported = torch.export.export(network, (torch.rand(example),), dynamic_shapes=(sides,))
    for size in ((1, 3, 16, 24), (3, 3, 17, 27), (2, 3, 40, 33), (1, 3, 11, 9)):
        images = torch.rand(size)
        assert torch.equal(exported.module()(images), network(images)), size
