"""Networks to use: from run folders, and from weights files with or without classes inside."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import RECIPE, SPEC

from gridgen.emit import GridNetwork, inherit, load_network, save_network
from gridgen.emit.weights import load_tensors, save_tensors
from gridgen.errors import RunError, UsageError, WeightsError, unknown
from gridgen.grid import build_grid
from gridgen.images.scale import PixelScale
from gridgen.training import train
from gridgen.training.inference import WHOLE, Inference
from gridgen.training.run.exporting import export_model
from gridgen.training.run.model import open_model
from gridgen.training.scoring.evaluation import evaluate
from gridgen.training.tasks import Restoration, Segmentation

CLASSES, COLOURS = ["sky", "road", "tree"], [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "run"
    return train(build_grid(SPEC), "shapes", RECIPE.but(epochs=1), folder=folder, device="cpu")


@pytest.fixture
def network():
    torch.manual_seed(0)
    return GridNetwork(build_grid(SPEC)).eval()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "w.safetensors"


def rewritten(path, **about):
    """The file, its metadata changed and its digest right."""
    tensors, metadata = load_tensors(path)
    return save_tensors(tensors, path, metadata | about)


def test_a_run_is_a_model_with_its_classes(run):
    model = open_model(run.folder)
    assert model.task.classes == ("background", "larger", "smaller")
    assert (model.data, model.named, model.inference) == ("shapes", True, WHOLE)


def test_a_run_stands_wherever_its_path_does(run, tmp_path):
    assert open_model(run).path == run.folder
    assert evaluate(run, "shapes").network.value == evaluate(run.folder, "shapes").network.value
    assert inherit(GridNetwork(build_grid(SPEC)), export_model(run, tmp_path / "w.safetensors"))
    with pytest.raises(UsageError, match="give a path"):
        open_model(3)


def test_a_model_says_which_weights_of_the_run_it_has(run):
    rows = dict(open_model(run.folder).rows()), dict(open_model(run.folder, best=True).rows())
    average = f", moving average ({run.recipe.ema:g})" if run.recipe.ema is not None else ""
    ends = [f"the last epoch{average}", f"the best validation{average}"]
    assert [each["weights"] for each in rows] == ends


@pytest.mark.parametrize("best", [False, True])
def test_an_exported_file_says_what_the_run_said(best, run, path):
    image = torch.rand(1, 3, 20, 20)
    before = open_model(run.folder, best)
    export_model(before, path, note="first try")
    after = open_model(path)
    with torch.no_grad():
        assert torch.equal(before.network(image), after.network(image))
    assert after.spec == run.spec
    assert after.task.classes == before.task.classes
    assert [list(c) for c in after.task.colours] == [list(c) for c in before.task.colours]
    assert (after.data, after.note) == ("shapes", "first try")


def test_how_it_is_put_to_images_travels_too(run, path):
    inference = Inference(window=32, flip=True)
    told = {"inference": inference, "scale": PixelScale(4095.0, -5.0, 0.0), "holdout": "0006R0*"}
    told |= {"fold": "2/5"}
    export_model(replace(open_model(run.folder), **told), path)
    again = open_model(path)
    assert {field: getattr(again, field) for field in told} == told


def test_bf16_halves_the_kernels_and_loads_as_fp32(network, tmp_path):
    full, half = (save_network(network, tmp_path / f"{p}.safetensors", p) for p in ("fp32", "bf16"))
    tensors, _ = load_tensors(half)
    kernels = {name for name, tensor in tensors.items() if tensor.dtype == torch.bfloat16}
    assert kernels == {n for n, t in network.state_dict().items() if t.dim() > 1}
    saved = sum(tensors[name].numel() * 2 for name in kernels)
    assert abs(full.stat().st_size - half.stat().st_size - saved) < 2000
    loaded, image = load_network(half), torch.rand(1, 3, 16, 16)
    assert all(p.dtype == torch.float32 for p in loaded.parameters())
    with torch.no_grad():
        torch.testing.assert_close(loaded(image), network(image), rtol=0.1, atol=0.1)


def test_a_file_without_classes_has_names_and_colours_all_the_same(network, path):
    model = open_model(save_network(network, path))
    assert model.task == Segmentation(
        ("class 0", "class 1", "class 2"), ((0, 0, 0), (230, 159, 0), (86, 180, 233))
    )
    assert not model.named


def test_classes_without_colours_get_some(network, path):
    model = open_model(save_network(network, path, about={"classes": CLASSES}))
    assert model.task.classes == tuple(CLASSES)
    assert [tuple(c) for c in model.task.colours] == [(0, 0, 0), (230, 159, 0), (86, 180, 233)]


def test_no_classes_is_a_restoration(network, path):
    model = open_model(save_network(network, path, about={"classes": [], "colours": []}))
    assert model.task == Restoration()


@pytest.mark.parametrize(
    ("about", "fact"),
    [
        ({"classes": "no json"}, "classes: not JSON: "),
        ({"classes": '"sky"'}, "classes: 'sky' is not a list; export it anew"),
        ({"classes": '["a", "b", 3]'}, "classes.2: 3 is not a word; export it anew"),
        ({"classes": json.dumps(["a", "b", "\x1b[31m"])}, r"classes.2: '\x1b[31m' is not"),
        ({"classes": json.dumps(["a", "b", "b"])}, "classes.2: 'b' is given twice"),
        ({"classes": '["a", "b"]'}, "2 classes, but the network gives 3; export it anew"),
        ({"colours": "[[1, 2, 3]]"}, "1 colours, but 3 classes; export it anew"),
        ({"colours": "[[1, 2, 3], [1, 2, 3], [1, 2, 256]]"}, "colours.2.2: 256 is more than 255"),
        ({"colours": "[[1, 2, 3], [1, 2, 3], [1, 2, true]]"}, "colours.2.2: true is not a whole"),
        ({"white": "-1"}, "white: -1 is not more than black, which is 0; export it anew"),
        ({"white": "Infinity"}, "white: inf is not a number; export it anew"),
        ({"inference": '{"window": 3}'}, "inference.window: 3 is less than 8"),
        ({"inference": "[]"}, "inference: "),
    ],
)
def test_metadata_that_cannot_be_is_refused(about, fact, network, path):
    save_network(network, path, about={"classes": CLASSES, "colours": COLOURS})
    rewritten(path, **about)
    with pytest.raises(WeightsError) as caught:
        open_model(path)
    assert str(caught.value).startswith(f"{path}: {fact}")


def test_words_that_a_terminal_would_obey_are_shown_as_they_are_written(network, path):
    save_network(network, path, about={"note": "\x1b[31mred"})
    assert open_model(path).note == "'\\x1b[31mred'"


def test_weights_that_nothing_was_learned_with_say_so(network, path, tmp_path):
    save_network(network, path, about={"untrained": True})
    with pytest.warns(UserWarning, match="weights as they were initialized; nothing was learned"):
        model = open_model(path)
    assert ("weights", "as initialized, not trained") in model.rows()
    again = export_model(model, tmp_path / "again.safetensors")
    with pytest.warns(UserWarning, match="again.safetensors: weights as they were initialized"):
        assert open_model(again).untrained


def test_the_best_of_a_weights_file_is_refused(network, path):
    save_network(network, path)
    with pytest.raises(UsageError) as caught:
        open_model(path, best=True)
    assert str(caught.value) == (
        f"--best: {path} holds one set of weights; name the run's folder instead"
    )


def test_what_is_neither_is_named(tmp_path):
    with pytest.raises(WeightsError) as caught:
        open_model(tmp_path / "none.safetensors")
    assert str(caught.value) == f"{tmp_path}/none.safetensors: no such file"
    with pytest.raises(RunError):
        open_model(tmp_path)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(WeightsError):
        open_model(tmp_path / "text")


def test_another_precision_is_refused(run, path):
    with pytest.raises(UsageError) as caught:
        export_model(open_model(run.folder), path, "fp16")
    assert str(caught.value) == f"--precision: {unknown('precision', 'fp16', ['bf16'])}"


def test_a_policy_for_sizes_reaches_a_weights_file(network, path):
    save_network(network, path)
    assert open_model(path, size="resize").network.grid.spec.size == "resize"


def test_pixels_without_a_value_have_no_class_as_in_predictions(network, path, tmp_path):
    import tifffile

    save_network(network, path)
    model = replace(open_model(path), scale=PixelScale(nodata=7))
    holed = np.full((16, 16, 3), 9, np.uint8)
    holed[:4] = 7
    tifffile.imwrite(tmp_path / "a.tif", holed, photometric="rgb")
    for given in (tmp_path / "a.tif", holed):
        answer = model(given)
        assert np.unique(answer[:4]).tolist() == [255]
        assert answer[4:].max() < 255
