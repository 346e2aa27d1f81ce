"""Weights of others in our networks: equal by function to their networks, typed anew."""

import pytest
import torch
from safetensors.torch import save_file

from gridgen import convert, load_network, save_network
from gridgen.errors import SpecError, WeightsError
from gridgen.layouts import LAYOUTS
from gridgen.layouts.backbones import STAGE_PARTS, VGG_PARTS
from tests.layouts.references import Detector, HrNet, PspNet, ResNet, Vgg, dilate

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLOSE = 2e-5


def seeded(network):
    """With statistics that a trained network could have, and small activations."""
    generator = torch.Generator().manual_seed(1)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
        elif name.endswith(("running_mean", "bias")):
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.1)
    return network.eval()


def saved(network, path, prefix=""):
    tensors = {f"{prefix}{name}": each for name, each in network.state_dict().items()}
    save_file({name: each.contiguous() for name, each in tensors.items()}, path)
    return path


def images(size=(64, 128)):
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(2))


def normalized(x):
    mean, deviation = (torch.tensor(each)[:, None, None] for each in (MEAN, DEVIATION))
    return (x - mean) / deviation


def require_close(ours, theirs):
    difference = float((ours - theirs).abs().max() / theirs.abs().max())
    assert ours.shape == theirs.shape
    assert difference < CLOSE, difference


PYRAMIDS = [(i, 0) for i in range(4)]
AT_AN_EIGHTH = [(0, 1), (1, 1), (1, 2), (1, 3)]


@pytest.mark.parametrize(
    ("name", "depth"),
    [("fpn", 18), ("fpn", 34), ("panet", 50), ("bifpn", 18), ("refinenet", 50), ("fcrn", 50)],
)
@torch.no_grad()
def test_a_resnet_of_torchvision_fills_the_first_column(name, depth, tmp_path):
    resnet = seeded(ResNet(depth))
    made = convert(saved(resnet, tmp_path / "resnet.safetensors"), name)
    dilated = name == "fcrn"
    assert made.network.grid.spec.depth == depth
    assert made.layout == "resnet"
    assert made.inheritance.fresh[-1].startswith("head.")
    places = AT_AN_EIGHTH if dilated else PYRAMIDS
    if dilated:
        dilate(resnet.layer3, 2)
        dilate(resnet.layer4, 4)
    x = images()
    ours = made.network.feature_maps(x, [f"map_{i}_{j}" for i, j in places])
    for own, theirs in zip(ours, resnet.stages(normalized(x)), strict=True):
        require_close(own, theirs)
    untouched = {part for part in STAGE_PARTS[name] if part not in dict(made.network.grid.parts())}
    assert not untouched


@pytest.mark.parametrize("deep", [False, True])
@torch.no_grad()
def test_pspnet_begins_as_the_resnet_of_the_file(deep, tmp_path):
    resnet = seeded(ResNet(50, deep))
    made = convert(saved(resnet, tmp_path / "r.safetensors", "module."), "pspnet", classes=4)
    assert made.network.grid.spec.stem == ("deep" if deep else "resnet")
    dilate(resnet.layer3, 2)
    dilate(resnet.layer4, 4)
    x = images()
    ours = made.network.feature_maps(x, [f"map_{i}_{j}" for i, j in AT_AN_EIGHTH])
    for own, theirs in zip(ours, resnet.stages(normalized(x)), strict=True):
        require_close(own, theirs)


@pytest.mark.parametrize("name", ["fpn", "panet"])
@torch.no_grad()
def test_a_detector_of_torchvision_fills_the_pyramid(name, tmp_path):
    detector = seeded(Detector(18))
    # Frozen BNs count no batches.
    tensors = {k: v for k, v in detector.state_dict().items() if not k.endswith("tracked")}
    save_file(tensors, tmp_path / "d.safetensors")
    made = convert(tmp_path / "d.safetensors", name)
    x = images()
    wanted = detector.backbone(normalized(x))
    if name == "fpn":
        ours = made.network.feature_maps(x, [f"map_{i}_2" for i in range(4)])
        for own, theirs in zip(ours, wanted, strict=True):
            require_close(own, theirs)
    else:  # in its other maps the second way down arrives too
        require_close(made.network.feature_maps(x, ["map_0_2"])[0], wanted[0])
    assert made.layout == "torchvision-fpn"


@torch.no_grad()
def test_pspnet_of_semseg_is_taken_whole(tmp_path):
    theirs = seeded(PspNet(5))
    path = saved(theirs, tmp_path / "psp.safetensors", "module.")
    made = convert(path, "pspnet")
    assert (made.layout, made.inheritance.fresh) == ("semseg-pspnet", ())
    x = images()
    require_close(made.network(x), theirs(normalized(x)))
    other = convert(path, "pspnet", classes=7)
    assert set(other.inheritance.fresh) == {"head.0.weight", "head.0.bias"}


@pytest.mark.parametrize("prefix", ["", "model."])
@torch.no_grad()
def test_hrnet_is_taken_whole(prefix, tmp_path):
    theirs = seeded(HrNet(8, 5))
    made = convert(saved(theirs, tmp_path / "hrnet.safetensors", prefix), "hrnet")
    assert (made.layout, made.inheritance.fresh) == ("hrnet", ())
    assert (made.network.grid.spec.width, made.network.grid.spec.classes) == (8, 5)
    x = images()
    require_close(made.network(x), theirs(normalized(x)))


@pytest.mark.parametrize("name", VGG_PARTS)
@torch.no_grad()
def test_vgg_fills_the_way_down(name, tmp_path):
    hidden = 4 * 64 if name == "dilated" else 8
    vgg = seeded(Vgg(4, hidden, normed=name == "deconvnet"))
    made = convert(saved(vgg, tmp_path / "vgg.safetensors"), name)
    x = images((224, 224))
    rows = vgg.rows(normalized(x))
    if name == "dilated":
        places, wanted = [(i, 0) for i in range(4)], rows[:4]
    elif name == "deconvnet":
        places, wanted = [(i, 0) for i in range(5)], rows
    else:  # X(i, 0) is pooled
        places = [(i, 0) for i in range(1, 6)]
        wanted = [torch.nn.functional.max_pool2d(row, 2) for row in rows]
    ours = made.network.feature_maps(x, [f"map_{i}_{j}" for i, j in places])
    for own, theirs in zip(ours, wanted, strict=True):
        require_close(own, theirs)
    kernel = next(
        each
        for key, each in made.network.state_dict().items()
        if each.shape == (hidden, 32, 7, 7) and key in made.inheritance.inherited
    )
    assert torch.equal(kernel.reshape(hidden, -1), vgg.classifier[0].weight)


@pytest.mark.parametrize("wrapped", [None, "state_dict", "model"])
def test_a_checkpoint_of_torch_is_read_without_running_anything(wrapped, tmp_path):
    state = ResNet(18).state_dict()
    path = tmp_path / "resnet18.pth"
    torch.save({wrapped: state, "epoch": 3} if wrapped else state, path)
    assert convert(path, "fpn").network.grid.spec.depth == 18


class Runs:
    def __reduce__(self):
        return print, ("ran",)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path, capsys):
    torch.save({"conv1.weight": Runs()}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match=r"evil\.pth: no state_dict that torch reads"):
        convert(tmp_path / "evil.pth", "fpn")
    assert "ran" not in capsys.readouterr().out


def test_a_network_that_was_converted_is_saved_loaded_and_trained_from(tmp_path):
    path = saved(ResNet(18), tmp_path / "resnet18.safetensors")
    made = convert(path, "fpn", classes=3, size="pad")
    again = load_network(save_network(made.network, tmp_path / "fpn.safetensors"))
    x = images((50, 70))
    assert torch.equal(again(x), made.network(x))


@pytest.mark.parametrize(
    ("change", "name", "settings", "message"),
    [
        (
            {},
            "unet-2015",
            {},
            "no layout of others' weights is known for unet-2015; there are",
        ),
        ({}, "hrnet", {}, "has none of the layouts known for hrnet (hrnet); its tensors are"),
        ({}, "pspnet", {"depth": 101}, "holds a network of depth 18, depth is set to 101"),
        ({}, "fpn", {"depth": 50}, "holds a network of depth 18, depth is set to 50; leave it out"),
        ({}, "pspnet", {}, "depth: 18 is not one of: 50 or 101"),
        ({"layer2.0.bn1.bias": None}, "fpn", {}, "layer2.0.bn1.bias is missing, of which"),
        (
            {"conv1.weight": (64, 1, 7, 7)},
            "fpn",
            {},
            "conv1.weight is [64, 1, 7, 7], stem.1",
        ),
        ({"layer3.2.conv1.weight": (2, 2)}, "fpn", {}, "a ResNet with 3 basic blocks in its third"),
    ],
)
def test_what_does_not_fit_is_told_in_a_line(change, name, settings, message, tmp_path):
    state = ResNet(18).state_dict()
    for key, shape in change.items():
        state.pop(key, None)
        state |= {key: torch.zeros(shape)} if shape else {}
    save_file(state, tmp_path / "resnet.safetensors")
    with pytest.raises(WeightsError) as caught:
        convert(tmp_path / "resnet.safetensors", name, **settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "resnet.safetensors") in str(caught.value)


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("x.safetensors", b"nothing", "not a safetensors file, or damaged"),
        ("x.pth", b"nothing", "no state_dict that torch reads without running code, or damaged"),
        ("x.pth", b"", "no state_dict that torch reads"),
        ("x.pt", b"hello\n", "no state_dict that torch reads"),
        ("x.npz", b"", "no weights file by its name, which ends in one of .safetensors, .pth"),
        ("y.pth", None, "no such file"),
    ],
)
def test_files_that_hold_no_weights_are_told(name, raw, message, tmp_path):
    if raw is not None:
        (tmp_path / name).write_bytes(raw)
    with pytest.raises(WeightsError) as caught:
        convert(tmp_path / name, "fpn")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (torch.zeros(3), "holds no tensors by name; save a state_dict"),
        ([1, 2], "holds no tensors by name"),
        ({"conv1.weight": 3}, "holds no tensors by name"),
    ],
)
def test_checkpoints_without_tensors_by_name_are_told(made, message, tmp_path):
    torch.save(made, tmp_path / "z.pt")
    with pytest.raises(WeightsError, match=message):
        convert(tmp_path / "z.pt", "fpn")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.long(), "conv1.weight is int64; weights are floating-point numbers"),
        (lambda x: x.to(torch.complex64), "conv1.weight is complex64"),
        (lambda x: x * torch.nan, "conv1.weight has values that are no finite numbers"),
        (lambda x: x.to_sparse(), "conv1.weight is no plain tensor of numbers"),
        (lambda x: x.to("meta"), "conv1.weight is no plain tensor of numbers"),
        (lambda x: x.permute(0, 2, 3, 1), "conv1.weight is [64, 7, 7, 3], stem.1.weight"),
    ],
)
def test_tensors_that_are_no_weights_are_told(change, message, tmp_path):
    state = ResNet(18).state_dict()
    torch.save({**state, "conv1.weight": change(state["conv1.weight"])}, tmp_path / "r.pth")
    with pytest.raises(WeightsError) as caught:
        convert(tmp_path / "r.pth", "fpn")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["conv1.bias", "layer1.0.se.fc1.weight", "layer2.1.conv1.bias"])
def test_a_file_of_another_network_is_told_by_what_has_no_place(name, tmp_path):
    state = {**ResNet(18).state_dict(), name: torch.zeros(3)}
    save_file(state, tmp_path / "r.safetensors")
    with pytest.raises(WeightsError, match=f"{name} has no place in the network"):
        convert(tmp_path / "r.safetensors", "fpn")


def test_what_is_left_of_the_file_is_told(tmp_path):
    made = convert(saved(ResNet(18), tmp_path / "r.safetensors"), "fpn")
    assert made.unused == ("fc.bias", "fc.weight")
    assert ("not used", "fc.bias, fc.weight") in made.rows()


def test_weights_in_half_precision_are_taken(tmp_path):
    state = {name: each.half() for name, each in ResNet(18).state_dict().items()}
    torch.save(state, tmp_path / "r.pth")
    assert convert(tmp_path / "r.pth", "fpn").network.stem[1].weight.dtype == torch.float32


def test_colours_are_asked_for_where_imagenet_is(tmp_path):
    path = saved(ResNet(18), tmp_path / "resnet.safetensors")
    with pytest.raises(SpecError, match="imagenet has means of 3 colours, in_channels is 1"):
        convert(path, "fpn", in_channels=1, normalize="imagenet")
    with pytest.raises(
        WeightsError, match="of images of 3 colours, in_channels is 1; leave it out"
    ):
        convert(path, "fpn", in_channels=1)


def test_every_layout_is_of_architectures_that_there_are():
    from gridgen.architectures.names import ARCHITECTURES

    for layout in LAYOUTS.values():
        assert set(layout.architectures) <= set(ARCHITECTURES)
