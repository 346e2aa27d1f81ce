"""Inferences as documents: what they refuse, and where."""

import numpy as np
import pytest
import torch

from gridgen.emit import GridNetwork, save_network
from gridgen.errors import OutOfMemoryError, SizeError, SpecError, unknown
from gridgen.spec import GridSpec
from gridgen.training.inference import INFERENCES, WHOLE, Inference, load_inference
from gridgen.training.run.model import open_model
from gridgen.training.tasks import Restoration, Segmentation
from gridgen.training.tasks.requirements import (
    BY_FLAG,
    require_image,
    require_inference,
    within_memory,
)

STRICT = GridSpec(streams=5, columns="1+1", base_channels=2, classes=2, size="error")
CLASSES = Segmentation(("a", "b"), ((0, 0, 0), (1, 1, 1)))


@pytest.mark.parametrize("name", INFERENCES)
def test_every_name_loads_and_is_what_its_fields_say(name):
    loaded = load_inference(name)
    assert loaded == Inference(**loaded.complete())
    assert loaded.described()


def test_a_file_is_read_like_every_document(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("scales: [0.5, 1]\nflip: true\nwindow: 64\n")
    assert load_inference(path) == Inference(scales=(0.5, 1), flip=True, window=64)
    path.write_text("windows: 64\n")
    with pytest.raises(SpecError) as caught:
        load_inference(path)
    assert str(caught.value).startswith(f"{path}:1:1: windows: ")


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(SpecError) as caught:
        load_inference("multi-scale")
    assert str(caught.value) == unknown("inference or YAML file", "multi-scale", ["multiscale"])


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"scales": (1, 1)}, "scales: 1 is given twice; remove one"),
        ({"stride": 8}, "inference: stride 8 is that of windows; set window, or remove it"),
        (
            {"window": 64, "stride": 65},
            "inference: stride 65 leaves gaps between windows of 64 pixels of the image; "
            "set stride to 64 or less",
        ),
        (
            {"window": 64, "stride": 40, "scales": (1, 2)},
            "inference: stride 40 leaves gaps between windows of 32 pixels of the image; "
            "set stride to 32 or less",
        ),
    ],
)
def test_what_cannot_be_is_refused(fields, text):
    with pytest.raises(SpecError) as caught:
        Inference(**fields)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "fields",
    [
        {"scales": ()},
        {"scales": (0,)},
        {"scales": (17,)},
        {"scales": (float("nan"),)},
        {"scales": ("1",)},
        {"window": 7},
        {"window": 64.0},
        {"window": 64, "stride": 0},
        {"batch": 0},
        {"flip": 1},
        {"precision": "fp16"},
        {"weighting": "hann"},
    ],
)
def test_numbers_out_of_range_are_refused(fields):
    with pytest.raises(SpecError):
        Inference(**fields)


def test_a_restoration_is_never_resized():
    require_inference(Inference(flip=True, window=64), STRICT, Restoration())
    with pytest.raises(SpecError) as caught:
        require_inference(INFERENCES["multiscale"], STRICT, Restoration())
    assert str(caught.value) == (
        "scales: 0.5, 0.75, 1, 1.25, 1.5, 1.75, but resizing an image changes its noise; "
        "set scales: [1]"
    )


def test_a_window_that_the_grid_cannot_take_is_refused_before_any_image():
    with pytest.raises(SpecError) as caught:
        require_inference(Inference(window=100), STRICT, CLASSES)
    assert str(caught.value) == (
        "window: 100, but 5 streams need multiples of 16; set window: 112, or size: pad in the spec"
    )
    require_inference(Inference(window=112), STRICT, CLASSES)
    require_inference(Inference(window=100), STRICT.but(size="pad"), CLASSES)


def test_windows_make_an_image_legal_that_is_not():
    require_image(Inference(window=64), STRICT, (101, 203), "a.png")
    with pytest.raises(SizeError):
        require_image(WHOLE, STRICT, (101, 203), "a.png")
    with pytest.raises(SizeError) as caught:
        require_image(Inference(window=128), STRICT, (101, 203), "a.png")
    assert str(caught.value).startswith("a.png: Image is 101x128; ")


def test_scales_make_an_image_legal_that_is_not():
    require_image(Inference(scales=(0.5,)), STRICT, (101, 203), "a.png")
    with pytest.raises(SizeError):
        require_image(Inference(scales=(0.5, 1)), STRICT, (101, 203), "a.png")


def test_many_small_windows_are_not_listed_to_check_a_size():
    slow = Inference(window=16, stride=1)
    require_image(slow, STRICT, (65536, 65536), "a.png")


def test_memory_that_runs_out_is_one_line_with_a_way_out():
    with pytest.raises(OutOfMemoryError) as caught, within_memory("big.png", BY_FLAG):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
    assert str(caught.value) == (
        "big.png: memory ran out; see images through windows, --window 512 or fewer pixels"
    )
    with pytest.raises(RuntimeError, match="another"), within_memory("big.png", BY_FLAG):
        raise RuntimeError("another error")


@pytest.mark.parametrize(("known", "chosen"), [(True, "bf16"), (False, "fp32")])
def test_auto_is_bf16_where_the_device_has_instructions_for_it(known, chosen, monkeypatch):
    monkeypatch.setattr("gridgen.training.inference.computes_bf16", lambda device: known)
    assert Inference(precision="auto").on(torch.device("cpu")).precision == chosen
    for precision in ("fp32", "bf16"):
        assert Inference(precision=precision).on(torch.device("cpu")).precision == precision


def test_a_model_answers_in_fp32_whatever_it_was_validated_in(tmp_path):
    network = GridNetwork(GridSpec(streams=2, columns="1+1", base_channels=4, classes=3))
    told = {"inference": Inference(flip=True, precision="bf16").complete()}
    model = open_model(save_network(network, tmp_path / "a.safetensors", about=told))
    assert model.chosen_inference() == Inference(flip=True)
    asked = Inference(precision="bf16")
    assert model.chosen_inference(asked) == asked
    image = np.random.default_rng(0).random((16, 16, 3), dtype=np.float32)
    assert (model(image) == model(image, Inference(flip=True))).all()
