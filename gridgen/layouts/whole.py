"""Layouts of whole networks, as their authors' code names them.

Names: torchvision 0.21, `models/detection/` (BSD-3-Clause); semseg (hszhao, MIT),
`model/pspnet.py`; HRNet-Semantic-Segmentation (MIT), `lib/models/seg_hrnet.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gridgen.architectures.hrnet import MODULES
from gridgen.architectures.pspnet import BINS
from gridgen.grid import Grid
from gridgen.layouts.backbones import (
    AT_AN_EIGHTH,
    STAGES,
    depth_of,
    resnet_names,
    resnet_settings,
    stage_names,
)
from gridgen.layouts.layout import PartNames, TensorShapes, WeightsLayout

BODY, NECK = "backbone.body.", "backbone.fpn."


def _fpn_settings(shapes: TensorShapes, name: str) -> Mapping[str, Any] | None:
    named = f"{NECK}inner_blocks.0.0.weight" in shapes
    return resnet_settings(shapes, name, BODY) if named else None


def _fpn_names(grid: Grid, shapes: TensorShapes) -> PartNames:
    names = {**resnet_names(grid, shapes, BODY)}
    for i in range(STAGES):
        names[f"units.lateral_{i}_1"] = [f"{NECK}inner_blocks.{i}.0"]
        names[f"units.lateral_{i}_2"] = [f"{NECK}layer_blocks.{i}.0"]
    return names


def _pspnet_settings(shapes: TensorShapes, name: str) -> Mapping[str, Any] | None:
    if "ppm.features.0.1.weight" not in shapes or "cls.4.weight" not in shapes:
        return None
    depth, classes = depth_of(shapes), shapes["cls.4.weight"][0]
    return {"depth": depth, "stem": "deep", "normalize": "imagenet", "classes": classes}


def _pspnet_names(grid: Grid, shapes: TensorShapes) -> PartNames:
    names = {"stem": [f"layer0.{place}" for place in (0, 1, 3, 4, 6, 7)]}
    for number, part in enumerate(AT_AN_EIGHTH, 1):
        names[part] = list(stage_names(shapes, f"layer{number}"))
    # Streams go from the finest division down, the authors' list from the coarsest up.
    for place, stream in enumerate(reversed(range(2, 2 + len(BINS)))):
        features = f"ppm.features.{place}"
        names[f"units.sub_{stream}_5_from_1_3"] = [f"{features}.1", f"{features}.2"]
    return {**names, "fusions.map_1_7": ["cls.0", "cls.1"], "head": ["cls.4"]}


def _hrnet_settings(shapes: TensorShapes, name: str) -> Mapping[str, Any] | None:
    width = shapes.get("stage4.0.branches.0.0.conv1.weight")
    if width is None or "last_layer.3.weight" not in shapes:
        return None
    classes = shapes["last_layer.3.weight"][0]
    return {"width": width[0], "normalize": "imagenet", "classes": classes}


def _hrnet_names(grid: Grid, shapes: TensorShapes) -> PartNames:
    names: dict[str, Sequence[str]] = {
        "stem": ["conv1", "bn1", "conv2", "bn2"],
        "units.lateral_0_1": list(stage_names(shapes, "layer1")),
        "units.lateral_0_2": ["transition1.0.0", "transition1.0.1"],
        "head": ["last_layer.0", "last_layer.1", "last_layer.3"],
    }
    column = 1
    for lowest, modules in enumerate(MODULES, start=1):
        opened = f"transition{lowest}.{lowest}.0"
        names[f"units.sub_{lowest}_{column}"] = [f"{opened}.0", f"{opened}.1"]
        for module in range(modules):
            column += 1
            stage = f"stage{lowest + 1}.{module}"
            for i in range(lowest + 1):
                blocks = stage_names(shapes, f"{stage}.branches.{i}")
                names[f"fusions.map_{i}_{column}"] = list(blocks)
            names.update(_exchange_names(grid, shapes, f"{stage}.fuse_layers", column + 1))
        column += 1
    return names


def _exchange_names(grid: Grid, shapes: TensorShapes, layers: str, column: int) -> PartNames:
    """The units that arrive in a column, of which the authors' list says where each goes."""
    return {
        f"units.{link.name}": list(
            _steps(shapes, f"{layers}.{link.target.stream}.{link.source.stream}")
        )
        for link in grid
        if link.target.column == column == link.source.column + 1 and link.unit
    }


def _steps(shapes: TensorShapes, link: str) -> Iterator[str]:
    """One convolution and its BN on the way up; several pairs on the way down."""
    chained = f"{link}.0.0.weight" in shapes
    for number in range(len(MODULES) if chained else 1):
        step = f"{link}.{number}" if chained else link
        if f"{step}.0.weight" in shapes:
            yield from (f"{step}.0", f"{step}.1")


FPN = WeightsLayout(
    "a detector of torchvision with a feature pyramid: columns 0 to 2",
    ("fpn", "panet"),
    _fpn_settings,
    _fpn_names,
)
PSPNET = WeightsLayout(
    "PSPNet as trained by semseg, whole",
    ("pspnet",),
    _pspnet_settings,
    _pspnet_names,
    # Its concatenation has the coarsest pooled map first, after the map itself.
    {"fusions.map_1_7.0": (0, *reversed(range(1, 1 + len(BINS))))},
)
HRNET = WeightsLayout(
    "HRNetV2 as trained by HRNet-Semantic-Segmentation, whole",
    ("hrnet",),
    _hrnet_settings,
    _hrnet_names,
)
