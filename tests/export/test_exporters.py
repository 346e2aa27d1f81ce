"""Every form in which a network is taken away: files whole, names told, wrong names refused."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gridgen import export_network, load_recipe, open_model, train
from gridgen.data import load_dataset
from gridgen.data.subsets import divided
from gridgen.emit import GridNetwork, save_network
from gridgen.errors import UsageError, WeightsError
from gridgen.export import EXPORTERS, exporter_of, source_of
from gridgen.export.exporters import _told
from gridgen.export.int8 import calibration_batches
from gridgen.export.unseen import compared_with
from gridgen.grid import build_grid
from gridgen.progress import no_progress
from gridgen.spec import GridSpec
from gridgen.training.scoring.evaluation import images_to_train

SPEC = GridSpec(streams=2, columns="1+1", base_channels=4, classes=3, size="pad")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    recipe = load_recipe("demo", epochs=1)
    return open_model(train(SPEC, "shapes", recipe, folder=folder, device="cpu").folder)


@pytest.mark.parametrize("form", EXPORTERS)
def test_a_trained_network_is_written_whole_and_alike_each_time(form, model, tmp_path):
    path = tmp_path / f"net{EXPORTERS[form].suffix}"
    written = export_network(model, path)
    assert written.files[0] == path
    assert {*tmp_path.iterdir()} == {*written.files}
    before = [each.read_bytes() for each in written.files]
    assert export_network(model, path, form).files == written.files
    assert [each.read_bytes() for each in written.files] == before


@pytest.mark.parametrize("form", EXPORTERS)
def test_a_spec_is_written_or_refused_in_a_line(form, tmp_path):
    path = tmp_path / f"net{EXPORTERS[form].suffix}"
    if form != "source":  # build writes what was only initialized
        with pytest.raises(WeightsError):
            export_network(SPEC, path)
        assert not path.exists()
    else:
        assert export_network(SPEC, path).files == (path,)


def test_the_source_and_its_weights_give_what_the_run_gives(model, tmp_path, monkeypatch):
    export_network(model, tmp_path / "taken.py")
    monkeypatch.syspath_prepend(tmp_path)
    network = __import__("taken").Network()
    sys.modules.pop("taken")
    network.load_state_dict(load_file(tmp_path / "taken.safetensors"))
    images = torch.rand(2, 3, 37, 50)
    with torch.no_grad():
        assert torch.equal(network.eval()(images), model.network(images))


def test_weights_of_the_source_load_in_gridgen(model, tmp_path):
    names = {"__name__": "taken"}
    path = export_network(SPEC, tmp_path / "net.py").files[0]
    exec(path.read_text("utf-8"), names)
    network = GridNetwork(build_grid(SPEC))
    network.load_state_dict(names["Network"]().state_dict())


def test_the_file_that_is_read_is_not_written_over(model, tmp_path):
    weights = export_network(model, tmp_path / "net.safetensors", note="first").files[0]
    before = weights.read_bytes()
    assert export_network(open_model(weights), tmp_path / "net.py").files == (tmp_path / "net.py",)
    assert weights.read_bytes() == before


def test_a_spec_has_no_weights(tmp_path):
    with pytest.raises(WeightsError) as caught:
        export_network(SPEC, tmp_path / "net.safetensors")
    assert str(caught.value) == (
        "a spec has no trained weights; export a run, or write initialized ones with gridgen build"
    )


@pytest.mark.parametrize(
    ("path", "to", "told"),
    [
        (
            "net.txt",
            None,
            "-o: net.txt does not say in which form; end it in .safetensors (safetensors), .py "
            "(source), .onnx (onnx), .pt2 (program)",
        ),
        (
            "net.py",
            "torch",
            "--to: unknown form 'torch'; known: onnx, program, safetensors, source",
        ),
        ("net.py", "sources", "--to: unknown form 'sources'; did you mean 'source'?"),
        ("net.pt", "source", "-o: net.pt does not end in .py, as source must"),
    ],
)
def test_a_name_that_says_another_form_is_refused(path, to, told):
    with pytest.raises(UsageError) as caught:
        exporter_of(Path(path), to)
    assert str(caught.value) == told


HOSTILE = ('"""', "\\", "'''\nimport os", "\x1b[31m", "\u202e", "x" * 300, "${HOME}", "</script>")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_never_become_code(name, model, tmp_path):
    text = source_of(SPEC, f"{name}.safetensors")
    names = {"__name__": "taken"}
    exec(compile(text, "taken.py", "exec"), names)
    assert {"os"}.isdisjoint(names)
    assert all(each.isprintable() for each in text.splitlines())


def test_weights_that_nobody_named_are_not_written_over(model, tmp_path):
    run = model.path
    with pytest.raises(UsageError, match="is kept by a run; name another"):
        export_network(model, run / "weights.py")
    assert not (run / "weights.py").exists()
    other = GridNetwork(SPEC.but(base_channels=5))
    save_network(other, tmp_path / "net.safetensors")
    before = (tmp_path / "net.safetensors").read_bytes()
    with pytest.raises(UsageError, match="which holds something else; name another"):
        export_network(model, tmp_path / "net.py")
    assert (tmp_path / "net.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def test_weights_of_another_training_are_written_over_with_their_source_alone(model, tmp_path):
    # As of another seed.
    save_network(GridNetwork(model.spec), tmp_path / "net.safetensors")
    with pytest.raises(UsageError, match="which holds something else; name another"):
        export_network(model, tmp_path / "net.py")
    export_network(model, tmp_path / "net.safetensors")
    export_network(model, tmp_path / "net.py")  # the same ones
    other = replace(model, network=GridNetwork(model.spec))
    export_network(other, tmp_path / "net.py")
    own = other.network.state_dict()
    held = load_file(tmp_path / "net.safetensors")
    assert all(torch.equal(each, own[name]) for name, each in held.items())


@pytest.mark.parametrize("how", [{"precision": "bf16"}, {"note": "mine"}])
def test_weights_beside_a_source_keep_their_precision_and_their_note(how, model, tmp_path):
    (path,) = export_network(model, tmp_path / "net.safetensors", **how).files
    before = path.read_bytes()
    with pytest.raises(UsageError, match="which holds something else; name another"):
        export_network(model, tmp_path / "net.py")
    assert path.read_bytes() == before
    assert not (tmp_path / "net.py").exists()
    export_network(model, tmp_path / "net.py", **how)  # the same ones
    assert path.read_bytes() == before
    # Of the file itself the source alone is written, unless it would become another.
    read = open_model(path)
    export_network(read, tmp_path / "net.py")
    other = {"note": "other"} if "note" in how else {"note": "mine"}
    with pytest.raises(UsageError, match="which holds something else; name another"):
        export_network(read, tmp_path / "net.py", **other)
    assert path.read_bytes() == before


def test_a_note_of_the_weights_stays_in_every_form(model, tmp_path):
    onnx = pytest.importorskip("onnx", reason="gridgen[onnx] is not installed")
    noted = replace(model, note="first try")
    path = export_network(noted, tmp_path / "net.onnx", verify=False).files[0]
    told = {each.key: each.value for each in onnx.load(path).metadata_props}
    assert json.loads(told["note"]) == "first try"


def test_int8_is_calibrated_on_nothing_that_is_scored(model):
    held = replace(model, data="shapes", fold="1/5", holdout="train-00[12]*")
    train = images_to_train(held, "shapes")
    division = divided(load_dataset("shapes", "train"), held.holdout, held.fold)
    assert {*train.names}.isdisjoint({*division.fold.names, *division.holdout.names})
    assert {*train.names} == {*division.train.names}
    first = next(calibration_batches(held, "shapes", no_progress))
    assert (first == train[0].image.numpy()).all()
    # Of other data nothing was held out.
    assert len(images_to_train(replace(held, data="other"), "shapes")) > len(train)


def test_of_networks_that_unpool_half_of_the_values_is_compared_and_that_is_said():
    network = GridNetwork(GridSpec(streams=2, columns="1+1", base_channels=2, classes=2))
    (whole, *_) = compared_with(network.eval(), network, "ONNX")
    told = dict(_told([whole]))["compared"]
    assert told == "with torch, up to 1e-05 of the largest value apart"
    told = dict(_told([replace(whole, by_median=True)]))["compared"]
    assert told == "with torch, half of all values up to 1e-05 of the largest value apart"


def test_an_unknown_precision_leaves_nothing(model, tmp_path):
    with pytest.raises(UsageError, match="--precision: unknown precision 'fp8'"):
        export_network(model, tmp_path / "net.py", precision="fp8")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [{"precision": "bf16"}, {"note": "hi"}, {"verify": False}])
def test_what_is_said_of_weights_is_refused_for_a_spec(how, tmp_path):
    with pytest.raises(UsageError, match="are for trained weights; a spec has none"):
        export_network(SPEC, tmp_path / "net.py", **how)


def test_features_of_other_shapes_are_refused_by_the_source():
    spec = SPEC.but(streams=3, columns="2+2", side_channels=[5, 6])
    names = {"__name__": "taken"}
    exec(source_of(spec), names)
    network = names["Network"]().eval()
    images = torch.rand(1, 3, 16, 16)
    network(images, [torch.rand(1, 5, 8, 8), None])
    with pytest.raises(ValueError, match="1 features; give 2, or None for each"):
        network(images, [None])
    with pytest.raises(ValueError, match="features 0 are"):
        network(images, [torch.rand(1, 5, 1, 1), None])


@pytest.mark.slow
def test_int8_says_what_it_loses(model, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="gridgen[onnx] is not installed")
    written = export_network(model, tmp_path / "net.onnx", precision="int8")
    told = dict(written.rows())["int8"]
    assert re.fullmatch(r"0\.\d{4}, [+-]0\.\d{4} against fp32 \(iou on val\)", told)
    whole = export_network(model, tmp_path / "fp32.onnx")
    assert (tmp_path / "net.onnx").read_bytes().count(b"QuantizeLinear") > 5
    sessions = [onnxruntime.InferenceSession(each.files[0]) for each in (written, whole)]
    images = torch.rand(1, 3, 40, 33).numpy()
    int8, fp32 = (each.run(None, {"images": images})[0] for each in sessions)
    assert int8.shape == fp32.shape
    apart = abs(int8 - fp32).max() / abs(fp32).max()
    assert 0 < apart < 0.5


def test_for_openvino_it_is_written_otherwise_and_gives_the_same(model, tmp_path):
    pytest.importorskip("onnxruntime", reason="gridgen[onnx] is not installed")
    plain = export_network(model, tmp_path / "plain.onnx").files[0]
    written = export_network(model, tmp_path / "other.onnx", runtime="openvino")
    assert len(dict(written.rows())) > 1
    assert written.files[0].read_bytes().count(b"ConvTranspose") < plain.read_bytes().count(
        b"ConvTranspose"
    )


@pytest.mark.parametrize(
    ("name", "how", "message"),
    [
        ("a.onnx", {"runtime": "openvin"}, "--for: unknown runtime 'openvin'; did you mean"),
        ("a.onnx", {"precision": "int4"}, "--precision: ONNX is fp32 or int8, not int4"),
        ("a.onnx", {"precision": "bf16"}, "--precision: ONNX is fp32 or int8, not bf16"),
        ("a.onnx", {"data": "shapes"}, "--data calibrates int8; add --precision int8"),
        ("a.pt2", {"precision": "int8"}, "--precision: a program of torch.export is fp32"),
        ("a.pt2", {"data": "shapes"}, "--for and --data are for ONNX; program has neither"),
        ("a.py", {"runtime": "openvino"}, "--for and --data are for ONNX; source has neither"),
        ("a.safetensors", {"precision": "int8"}, "--precision: unknown precision 'int8'"),
    ],
)
def test_what_a_form_does_not_have_is_refused(name, how, message, model, tmp_path):
    with pytest.raises(UsageError) as caught:
        export_network(model, tmp_path / name, **how)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", EXPORTERS)
def test_a_network_in_memory_is_written_with_the_weights_that_it_has(form, tmp_path):
    network = GridNetwork(build_grid(SPEC)).double().train()
    files = export_network(network, tmp_path / f"net{EXPORTERS[form].suffix}").files
    assert network.training
    weights = [path for path in files if path.suffix == ".safetensors"]
    assert weights or form not in ("source", "safetensors")
    for path in weights:
        for name, tensor in load_file(path).items():
            assert torch.allclose(tensor.double(), network.state_dict()[name].double(), atol=1e-6)
