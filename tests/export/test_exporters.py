"""Every form in which a network is taken away: files whole, names told, wrong names refused."""

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gridgen import export_network, load_recipe, open_model, train
from gridgen.emit import GridNetwork, save_network
from gridgen.errors import UsageError, WeightsError
from gridgen.export import EXPORTERS, exporter_of, source_of
from gridgen.grid import build_grid
from gridgen.spec import GridSpec

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
    if form != "source":
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
            "(source), .onnx (onnx)",
        ),
        ("net.py", "torch", "--to: unknown form 'torch'; known: onnx, safetensors, source"),
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
    with pytest.raises(UsageError, match="is the file that is read; name another"):
        export_network(model, run / "weights.py")
    assert not (run / "weights.py").exists()
    other = GridNetwork(SPEC.but(base_channels=5))
    save_network(other, tmp_path / "net.safetensors")
    before = (tmp_path / "net.safetensors").read_bytes()
    with pytest.raises(UsageError, match="which holds something else; name another"):
        export_network(model, tmp_path / "net.py")
    assert (tmp_path / "net.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


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
