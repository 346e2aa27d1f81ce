"""Layouts of pretrained classifiers: torchvision's ResNet and VGG-16, which fill a first column.

Names: torchvision 0.21, `models/resnet.py` and `models/vgg.py` (BSD-3-Clause); the ResNet with
three convolutions before its first stage as in semseg (hszhao, MIT), `model/resnet.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gridgen.errors import WeightsError
from gridgen.grid import Grid
from gridgen.layouts.layout import PartNames, TensorShapes, WeightsLayout, numbered

STAGES = 4
PYRAMID = "stem", "units.sub_1_0", "units.sub_2_0", "units.sub_3_0"
AT_AN_EIGHTH = "units.lateral_0_1", "units.sub_1_1", "units.lateral_1_2", "units.lateral_1_3"
STAGE_PARTS = {
    "fpn": PYRAMID,
    "panet": PYRAMID,
    "bifpn": PYRAMID,
    "refinenet": PYRAMID,
    "pspnet": AT_AN_EIGHTH,
    "fcrn": AT_AN_EIGHTH,
}
"""The part that holds each stage of the residual network; the stem holds what comes before."""

DEPTHS = {(False, 2): 18, (False, 6): 34, (True, 6): 50, (True, 23): 101, (True, 36): 152}
"""By whether blocks are bottlenecks, and how many the third stage has."""


def resnet_settings(shapes: TensorShapes, name: str, prefix: str = "") -> Mapping[str, Any] | None:
    """Depth and first layers of a residual network in a file; None where there is none."""
    if not {f"{prefix}conv1.weight", f"{prefix}layer3.0.conv1.weight"} <= shapes.keys():
        return None
    depth = depth_of(shapes, prefix)
    deep = f"{prefix}conv2.weight" in shapes
    if name == "pspnet":
        return {"depth": depth, "stem": "deep" if deep else "resnet", "normalize": "imagenet"}
    if deep:
        raise WeightsError(f"its ResNet begins with three convolutions, {name}'s with one")
    return {"depth": depth, "normalize": "imagenet"}


def depth_of(shapes: TensorShapes, prefix: str = "") -> int:
    """The layers of a residual network, by its third stage. Errors: `WeightsError`."""
    blocks = numbered(shapes, f"{prefix}layer3.{{}}.conv1.weight")
    bottleneck = f"{prefix}layer1.0.conv3.weight" in shapes
    if found := DEPTHS.get((bottleneck, blocks)):
        return found
    kind = "bottlenecks" if bottleneck else "basic blocks"
    raise WeightsError(f"a ResNet with {blocks} {kind} in its third stage is of no known depth")


def resnet_names(grid: Grid, shapes: TensorShapes, prefix: str = "") -> PartNames:
    """The stem and the four stages."""
    first = [f"{prefix}conv1", f"{prefix}bn1"]
    if f"{prefix}conv2.weight" in shapes:
        first += [f"{prefix}{layer}{number}" for number in (2, 3) for layer in ("conv", "bn")]
    names = {"stem": first}
    for number, part in enumerate(STAGE_PARTS[grid.spec.title], 1):
        names.setdefault(part, []).extend(stage_names(shapes, f"{prefix}layer{number}"))
    return names


def stage_names(shapes: TensorShapes, stage: str) -> Iterator[str]:
    """The layers of a stage, block by block, the projection of a block's identity last."""
    for block in range(numbered(shapes, f"{stage}.{{}}.conv1.weight")):
        name = f"{stage}.{block}"
        for number in range(1, 4):
            if f"{name}.conv{number}.weight" in shapes:
                yield from (f"{name}.conv{number}", f"{name}.bn{number}")
        if f"{name}.downsample.0.weight" in shapes:
            yield from (f"{name}.downsample.0", f"{name}.downsample.1")


CONVOLUTIONS = 0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28
WITH_BN = 0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40
"""Places of VGG-16's convolutions among torchvision's `features`; a BN stands after each of those
in `WITH_BN`."""
ROWS = 2, 2, 3, 3, 3
PERCEPTRON = ["classifier.0", "classifier.3"]
"""fc6 and fc7, whose matrices are kernels of 7 x 7 and 1 x 1."""
DOWN = [f"units.sub_{i}_0" for i in range(1, 6)]
VGG_PARTS = {
    "fcn-8s": DOWN,
    "dilated": ["stem", *DOWN[:3], "units.lateral_3_1"],
    "deconvnet": ["stem", *DOWN[:4]],
}
"""The part that holds each row of VGG-16."""


def _vgg_settings(shapes: TensorShapes, name: str) -> Mapping[str, Any] | None:
    if "features.0.weight" not in shapes or "classifier.0.weight" not in shapes:
        return None
    normed = "features.1.weight" in shapes
    last = (WITH_BN if normed else CONVOLUTIONS)[-1]
    if f"features.{last}.weight" not in shapes or f"features.{last + 3}.weight" in shapes:
        raise WeightsError("a VGG of another depth than 16")
    if normed != (name == "deconvnet"):
        fact = "with" if normed else "without"
        other = "without" if normed else "with"
        raise WeightsError(f"a VGG-16 {fact} BN; {name} needs one {other}")
    wide, hidden = shapes["features.0.weight"][0], shapes["classifier.0.weight"][0]
    own = {"hidden": hidden} if name != "dilated" else {}
    return {"base_channels": wide, **own, "normalize": "imagenet"}


def _vgg_names(grid: Grid, shapes: TensorShapes) -> PartNames:
    normed = "features.1.weight" in shapes
    left = iter(WITH_BN if normed else CONVOLUTIONS)
    names: dict[str, list[str]] = {}
    for part, row in zip(VGG_PARTS[grid.spec.title], ROWS, strict=True):
        places = [next(left) for _ in range(row)]
        names[part] = [f"features.{at + add}" for at in places for add in range(1 + normed)]
    if not normed:
        end = "units.lateral_5_1" if grid.spec.title == "fcn-8s" else "units.lateral_3_2"
        names[end] = PERCEPTRON
    else:
        names |= {"units.sub_6_0": PERCEPTRON[:1], "units.lateral_6_1": PERCEPTRON[1:]}
    return names


RESNET = WeightsLayout(
    "a ResNet of torchvision, or one with three first convolutions (semseg): the first column",
    tuple(STAGE_PARTS),
    resnet_settings,
    resnet_names,
)
VGG16 = WeightsLayout(
    "VGG-16 of torchvision: the way down, fc6 and fc7 as convolutions",
    tuple(VGG_PARTS),
    _vgg_settings,
    _vgg_names,
)
