"""The published networks made small by their own settings, so that they can be run."""

from gridgen.architectures import load_spec
from gridgen.grid import Grid, build_grid

SMALL = {
    "fcn-8s": {"base_channels": 4, "hidden": 8},
    "deconvnet": {"base_channels": 4, "hidden": 8},
    "unet-2015": {"base_channels": 4},
    "refinenet": {"depth": 50, "base_channels": 4},
    "stacked-hourglass": {"channels": 8},
    "frrn-a": {"base_channels": 4, "lane_channels": 4},
    "frrn-b": {"base_channels": 4, "lane_channels": 4},
    "preact-resnet": {"base_channels": 4},
    "neural-fabric": {"channels": 4},
    "dilated": {"base_channels": 2},
    "pspnet": {"depth": 50},
    "unet++": {"base_channels": 4},
    "hrnet": {"width": 4},
    "fpn": {"depth": 18},
    "panet": {"depth": 18},
    "bifpn": {"depth": 18, "channels": 8},
    "deeplab-trellis": {"base_channels": 4},
    "fcrn": {"depth": 50},
}


def small_grid(name: str, **settings) -> Grid:
    return build_grid(load_spec(name, **SMALL[name], **settings))
