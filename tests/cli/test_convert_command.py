"""`gridgen convert`: a file of others in, weights with their spec and the spec itself out."""

import pytest
import torch
from safetensors.torch import save_file

from gridgen import load_network, load_spec
from tests.layouts.references import ResNet, Vgg


@pytest.fixture
def resnet(tmp_path):
    path = tmp_path / "resnet18.safetensors"
    save_file(ResNet(18).state_dict(), path)
    return path


def test_weights_and_spec_are_written_and_told(resnet, tmp_path, gridgen):
    out = tmp_path / "fpn.safetensors"
    code, printed, _ = gridgen(
        "convert", str(resnet), "--as", "fpn", "--set", "classes=3", "-o", str(out)
    )
    assert code == 0
    assert "layout" in printed
    assert "inherited  4 parts: stem, units.sub_1_0 and 2 more" in printed
    spec = load_spec(tmp_path / "fpn.yaml")
    assert (spec.depth, spec.classes, spec.normalize) == (18, 3, "imagenet")
    assert load_network(out).grid.spec == spec


def test_a_vgg_goes_from_file_to_a_training_of_fcn(tmp_path, gridgen):
    torch.save(Vgg(2, 4, normed=False).state_dict(), tmp_path / "vgg.pth")
    out = tmp_path / "fcn.safetensors"
    settings = ("--set", "classes=3", "--set", "size=pad")
    assert (
        gridgen("convert", str(tmp_path / "vgg.pth"), "--as", "fcn-8s", *settings, "-o", str(out))[
            0
        ]
        == 0
    )
    code, printed, told = gridgen(
        *("train", str(tmp_path / "fcn.yaml"), "--data", "shapes", "--init", str(out)),
        *("--set", "recipe.epochs=1", "-o", str(tmp_path / "run")),
    )
    assert code == 0, told
    assert "in part: 1 part: units.lateral_5_1" in printed + told
    assert "fresh: 2 parts: units.lateral_4_1, units.lateral_3_1" in printed + told
    with pytest.warns(UserWarning, match="as they were initialized; train from them with --init"):
        gridgen("predict", str(out), "image.png", "-o", str(tmp_path / "seen"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--as", "fpn", "-o", "{resnet}"), "is the file that is read; name another"),
        (
            ("--as", "fpn", "-o", "out.txt"),
            "-o: out.txt does not end in .safetensors",
        ),
        (("--as", "fpm"), "unknown spec file or architecture 'fpm'; did you mean 'fpn'?"),
        (("--as", "fpn", "--set", "classes"), "--set: 'classes' is not a setting"),
        (("--as", "fpn", "--set", "clases=3"), "unknown field 'clases'; did you mean 'classes'?"),
        (("--as", "fpn", "--set", "depth=50"), "holds a network of depth 18, depth is set to 50"),
        (("--as", "unet-2015"), "no layout of others' weights is known for unet-2015"),
        ((), "Missing option '--as'"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_and_nothing_is_written(
    arguments, message, resnet, tmp_path, gridgen, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    given = [each.format(resnet=resnet) for each in arguments]
    code, _, told = gridgen("convert", str(resnet), *given)
    assert code == 2
    assert message in told
    assert len(told.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_spec_that_says_something_else_is_not_written_over(resnet, tmp_path, gridgen):
    (tmp_path / "fpn.yaml").write_text("mine: 1\n")
    out = tmp_path / "fpn.safetensors"
    code, _, told = gridgen("convert", str(resnet), "--as", "fpn", "-o", str(out))
    assert (code, out.exists()) == (2, False)
    assert "fpn.yaml would be written, which holds something else" in told


def test_weights_are_not_written_over_a_training(resnet, with_run, gridgen):
    told = "run/weights.safetensors is kept by a run; name another\n"
    asked = ("convert", str(resnet), "--as", "fpn", "-o", "run/weights.safetensors")
    assert gridgen(*asked) == (2, "", told)
