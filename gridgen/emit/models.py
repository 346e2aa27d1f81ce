"""Networks by name, and the feature maps of a network, as libraries of models offer them."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from torch import Tensor, nn

from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.arguments import PathLike, checked
from gridgen.emit.inheriting import inherit
from gridgen.emit.network import GridNetwork
from gridgen.errors import UsageError
from gridgen.grid import FeatureMap, build_grid
from gridgen.grid.tracing import map_strides
from gridgen.text import brief


@checked
def list_models(pattern: str = "*") -> list[str]:
    """The names of published networks that match a shell pattern, in the order of their gallery.

    >>> list_models("unet*")
    ['unet-2015', 'unet++']
    """
    return [name for name in ARCHITECTURES if fnmatchcase(name, pattern)]


@checked
def create_model(
    name: str,
    *,
    weights: PathLike | None = None,
    features: Sequence[Sequence[int]] | None = None,
    **settings: Any,
) -> "GridNetwork | FeatureMaps":
    """The network of a published name or a spec file, with fields of its spec as settings.

    `weights` is a weights file of gridgen, of the same or another grid: what fits is taken over
    (`inherit`). With `features`, such as [(0, 1), (2, 1)], the module gives these maps X(stream,
    column) instead of the prediction. Errors: `SpecError`, `GridError`, `WeightsError`,
    `UsageError` for a map that the network does not have.

    >>> create_model("unet-2015", in_channels=1, classes=2, base_channels=4).grid.spec.classes
    2
    """
    network = GridNetwork(build_grid(load_spec(name, **settings)))
    if weights is not None:
        inherit(network, weights)
    return network if features is None else FeatureMaps(network, features)


class FeatureMaps(nn.Module):
    """A network that gives feature maps instead of its prediction, as backbones are used.

    (N, in_channels, H, W) -> for each of `maps` (N, channels[i], h, w); `channels` and `strides`
    say how many channels each has and by how much it is smaller than the image that the network
    works on, which the size policy may have padded, cropped or resized. Of a map that is pooled to
    so many bins whatever the image, the stride is None.
    """

    @checked
    def __init__(self, network: GridNetwork, maps: Sequence[Sequence[int]]) -> None:
        super().__init__()
        grid = network.grid
        if not maps:
            raise UsageError("features: no map is named; leave features out for the prediction")
        for place in map(tuple, maps):
            if place not in grid.dag:
                named = brief([*map(str, grid.maps)], 3)
                raise UsageError(f"features: the network has no X{place}; it has {named}")
        self.network, self.maps = network, [FeatureMap(*each) for each in maps]
        self.channels = [grid.channels_of(each) for each in self.maps]
        strides = map_strides(grid)
        self.strides = [strides[each] for each in self.maps]

    @checked
    def forward(self, images: Tensor) -> list[Tensor]:
        """The maps, in the order in which they were asked for."""
        return self.network.feature_maps(images, [each.name for each in self.maps])
