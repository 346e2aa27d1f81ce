"""Several networks as one: the mean of their answers, and what cannot be averaged."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gridgen.data.shapes import Shapes
from gridgen.emit import GridNetwork, save_network
from gridgen.emit.averaging import AveragedNetworks, averaged
from gridgen.errors import SizeError, UsageError
from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from gridgen.training import evaluate, export_model, infer, open_ensemble, open_model, predict
from gridgen.training.inference import Inference
from gridgen.training.run.ensemble import is_model

SPEC = GridSpec(streams=2, columns="1+1", base_channels=2, classes=3, size="pad")
WIDER = SPEC.but(base_channels=4, streams=3)
CLASSES = ["background", "larger", "smaller"]


def saved(path, spec=SPEC, seed=0, **about):
    torch.manual_seed(seed)
    network = GridNetwork(build_grid(spec))
    for parameter in network.parameters():  # so that networks disagree
        parameter.data += torch.randn_like(parameter) / 4
    return save_network(network, path, about={"classes": CLASSES, **about})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("members")
    specs = (SPEC, SPEC, WIDER)
    return [saved(folder / f"{n}.safetensors", spec, n) for n, spec in enumerate(specs)]


@pytest.fixture(scope="module")
def image():
    return Shapes("val")[0].image


def test_the_answer_is_that_of_the_mean_of_probabilities(files, image):
    together, apart = open_ensemble(files), [open_model(each) for each in files]
    with torch.no_grad():
        shares = [each.network(image[None]).softmax(dim=1) for each in apart]
        mean = torch.stack(shares).mean(dim=0)
        torch.testing.assert_close(together.network(image[None]).exp(), mean)
    assert (together(image) == mean.argmax(dim=1)[0].numpy()).all()
    assert any((together(image) != each(image)).any() for each in apart)


def test_restored_images_are_averaged_as_they_are():
    one, other = torch.rand(2, 1, 3, 4, 4)
    assert torch.equal(averaged([one, other], probabilities=False), (one + other) / 2)


def test_a_probability_of_zero_has_a_logarithm():
    sure = torch.tensor([[[1000.0]], [[-1000.0]]])[None]
    assert averaged([sure, sure], probabilities=True).isfinite().all()


def test_one_model_is_itself_and_ensembles_are_of_all_networks(files):
    single = open_model(files[0])
    assert open_ensemble([single]) is single
    assert isinstance(open_ensemble(files[:1]).network, GridNetwork)
    pair = open_ensemble(files[:2])
    three = open_ensemble([pair, files[2]])
    assert isinstance(three.network, AveragedNetworks)
    assert (len(three.networks), three.title) == (3, ", ".join(map(str, files)))
    assert three.specs == (SPEC, SPEC, WIDER)


def test_a_split_is_scored_by_the_mean(files):
    shapes = Shapes("val")
    found = evaluate(files, "shapes", baseline=False)
    ensemble = open_ensemble(files)
    right = sum(
        int((ensemble(shapes[n].image) == shapes[n].label.numpy()).sum())
        for n in range(len(shapes))
    )
    assert found.statistics.diagonal().sum().item() == right
    assert found.model == ", ".join(map(str, files))
    assert found.weights == "3 networks, their answers averaged"


def test_the_order_of_the_networks_does_not_matter(files):
    one, other = (evaluate(each, "shapes", baseline=False) for each in (files, files[::-1]))
    assert torch.equal(one.statistics, other.statistics)


def test_files_are_predicted_by_the_mean(files, image, tmp_path):
    from PIL import Image

    pixels = (image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (written,) = predict(files, tmp_path / "a.png", tmp_path / "out")
    expected = open_ensemble(files)(tmp_path / "a.png")
    assert (np.asarray(Image.open(written.answer)) == expected).all()


def test_windows_and_scales_are_averaged_too(files, image):
    together = open_ensemble(files)
    answer = together(image, Inference(window=32, flip=True, scales=(1.0, 0.5)))
    assert answer.shape == image.shape[-2:]


@pytest.mark.parametrize("first", [0, 1])
def test_each_network_has_views_that_its_own_grid_takes(first, files, tmp_path, image):
    deep = saved(tmp_path / "deep.safetensors", SPEC.but(streams=5, size="error"))
    both = [files[0], deep][:: 1 if first else -1]
    views = Inference(scales=(0.7, 1.0), flip=True)
    together = open_ensemble(both)
    one, other = (infer(open_model(each).network, image, views) for each in both)
    expected = averaged([one, other], probabilities=True)
    torch.testing.assert_close(infer(together.network, image, views), expected)


@pytest.mark.parametrize(
    ("spec", "about", "told"),
    [
        (SPEC.but(classes=4), {"classes": [*CLASSES, "more"]}, "classes: 4 of "),
        (SPEC.but(in_channels=1), {}, "in_channels: 1 of "),
        (SPEC, {"classes": ["a", "b", "c"]}, "classes: ['a', 'b', 'c'] of "),
        (SPEC, {"inference": {"scales": [0.5]}}, "inference: "),
    ],
)
def test_what_cannot_be_averaged_is_refused_in_a_line(spec, about, told, files, tmp_path):
    other = saved(tmp_path / "other.safetensors", spec, **about)
    with pytest.raises(UsageError) as caught:
        open_ensemble([files[0], other])
    assert told in str(caught.value)
    assert str(files[0]) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_they_know_of_their_data_is_what_they_agree_on(files):
    one, other = map(open_model, files[:2])
    same = open_ensemble([replace(one, fold="1/5"), replace(other, fold="1/5")])
    different = open_ensemble([replace(one, fold="1/5"), replace(other, fold="2/5")])
    assert (same.fold, different.fold) == ("1/5", None)


def test_every_member_must_take_the_image(files, tmp_path):
    strict = saved(tmp_path / "strict.safetensors", WIDER.but(size="error"))
    odd = torch.rand(3, 30, 31)
    assert open_ensemble(files)(odd).shape == (30, 31)
    with pytest.raises(SizeError, match="30x31"):
        open_ensemble([files[0], strict])(odd)
    assert open_ensemble([files[0], strict], size="pad")(odd).shape == (30, 31)


def test_an_ensemble_is_no_network_to_export(files, tmp_path):
    with pytest.raises(UsageError, match="is no single network"):
        export_model(open_ensemble(files), tmp_path / "out.safetensors")
    with pytest.raises(UsageError, match="no model is named"):
        open_ensemble([])


def test_runs_and_weights_files_are_told_from_images(files, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}", "utf-8")
    assert is_model(files[0])
    assert is_model(tmp_path / "run")
    assert not is_model(tmp_path)
    assert not is_model(tmp_path / "a.png")
