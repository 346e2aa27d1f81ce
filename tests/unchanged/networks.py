"""The networks that are observed: 60 specs of the paper's grid, and every published network."""

from dataclasses import dataclass, field
from itertools import cycle, product
from typing import Any

from tests.small import SMALL

Fields = dict[str, Any]
BASE: Fields = {"streams": 3, "columns": "2+2", "base_channels": 4, "classes": 3}
PRELU = {
    "units": {
        "lateral": "residual-prelu",
        "subsampling": "strided-prelu",
        "upsampling": "bilinear-prelu",
    },
    "stem": "prelu",
    "head": "prelu",
}


@dataclass(frozen=True)
class Case:
    """A network by its settings: of a published one by its `published` name."""

    name: str
    fields: Fields = field(hash=False)
    published: str | None = None


def topologies() -> dict[str, Fields]:
    """Each topology as a staircase, as a ladder, and with columns to spare."""
    names = ("gridnet", "conv-deconv", "unet", "frrn", "resnet")
    return {
        f"{name} {columns}": {"columns": columns, "topology": name}
        for name, columns in product(names, ("2+2", "1+1", "4+3"))
    }


def units() -> dict[str, Fields]:
    """All units with each other; fusions, residual flags, sizes and dropout in turn."""
    laterals = ("residual", "bottleneck", "residual-prelu")
    downs = ("strided", "max-pool", "strided-prelu")
    ups = ("deconv", "bilinear", "bilinear-prelu")
    fusions = cycle(("sum", "concat", "weighted", "weighted"))
    flags = cycle(product((True, False), (True, False)))
    sizes = cycle(("error", "pad", "crop", "resize", "pad"))
    dropouts = cycle((0.0, 0.5, 0.3, 0.0, 0.2, 0.7, 0.0))
    found = {}
    for lateral, down, up in product(laterals, downs, ups):
        along, between = next(flags)
        found[f"{lateral} {down} {up}"] = {
            "units": {"lateral": lateral, "subsampling": down, "upsampling": up},
            "fusion": next(fusions),
            "residual": {"lateral": along, "vertical": between},
            "size": next(sizes),
            "total_dropout": next(dropouts),
        }
    return found


OTHERS: dict[str, Fields] = {
    "five streams": {"streams": 5, "columns": "3+3", "base_channels": 2, "classes": 19},
    "one stream": {"streams": 1, "columns": "2+1", "total_dropout": 0.5},
    "one stream that goes up": {"streams": 1, "columns": "0+2", "size": "pad"},
    "two streams, all flags": {
        "streams": 2,
        "columns": "3+1",
        "residual": {"lateral": True, "vertical": True},
        "total_dropout": 0.9,
        "fusion": "weighted",
        "size": "resize",
    },
    "hourglasses": {"columns": ["sub", "sub", "up", "up", "sub", "sub", "up", "up"]},
    "up and down in turn": {
        "columns": ["sub", "up", "sub", "up", "sub", "up"],
        "size": "crop",
        "residual": {"vertical": True},
        "total_dropout": 0.4,
    },
    "up first": {"columns": ["up", "sub", "sub", "up", "up"], "fusion": "concat", "size": "pad"},
    "custom drop": {
        "channels": [6, 10, 7],
        "residual": {"vertical": True},
        "fusion": "concat",
        "topology": {"drop": ["sub_2_1", "up_1_2", "lateral_1_[13]"]},
        "size": "pad",
    },
    "custom keep": {
        "topology": {"keep": ["sub_?_0", "up_?_3", "lateral_0_*", "lateral_2_*"]},
        "fusion": "weighted",
        "total_dropout": 0.5,
    },
    "conv stem, conv head": {"stem": "conv", "head": "conv", "in_channels": 1, "topology": "unet"},
    "prelu stem, conv head": {"stem": "prelu", "head": "conv", "size": "resize"},
    "conv stem, prelu head": {"stem": "conv", "head": "prelu", "classes": 1, "topology": "frrn"},
    "prelu stem, deconv head": {"stem": "prelu", "head": "deconv", "in_channels": 4, "size": "pad"},
    "channels of one's own": {"channels": [5, 3, 8], "fusion": "concat", "size": "crop"},
    "sides": {"side_channels": [5, 6], "columns": "3+2", "total_dropout": 0.5},
    "sides of an interpolation": {
        "side_channels": [6, 4],
        "channels": [4, 6, 8],
        "in_channels": 7,
        "size": "pad",
        **PRELU,
    },
    "sides, topology": {
        "side_channels": [5, 6],
        "topology": "frrn",
        "residual": {"vertical": True},
    },
    "restoration": {"channels": [4, 6, 8], "in_channels": 1, "classes": 1, "size": "pad", **PRELU},
}


def grid_cases() -> list[Case]:
    """The 60 specs, their channels given once."""
    found = []
    for name, fields in {**topologies(), **units(), **OTHERS}.items():
        base = {key: value for key, value in BASE.items() if key != "base_channels"}
        found.append(Case(name, {**(base if "channels" in fields else BASE), **fields}))
    return found


def published_cases() -> list[Case]:
    """The published networks at the width of the other tests; size policies in turn."""
    sizes = cycle(("pad", "crop", "resize"))
    return [Case(name, {**fields, "size": next(sizes)}, name) for name, fields in SMALL.items()]


CASES = {case.name: case for case in (*grid_cases(), *published_cases())}
