"""What is written on the maps of a picture beside their channels: sizes, and costs as shades."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from gridgen.analysis.breakdown import breakdown
from gridgen.analysis.sizes import SizeLike, as_size, counted_size
from gridgen.errors import UsageError, unknown
from gridgen.grid import FeatureMap, Grid
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import trace
from gridgen.memory.kept_by_map import kept_by_map
from gridgen.memory.setting import Setting
from gridgen.render import style
from gridgen.text import bytes_text, number_text

WORDS: dict[str, Callable[[int], str]] = {
    "parameters": lambda number: f"{number_text(number)} parameters",
    "activations": lambda number: f"{number_text(number)} activations",
    "macs": lambda number: f"{number_text(number)} MACs",
    "memory": lambda number: f"{bytes_text(number)} kept for the backward pass",
}
"""The quantities that maps can be shaded by, each as an amount is written."""
DARKEST = (90, 162, 216)
"""The fill of the map that costs most; the ink is readable on it."""


@dataclass(frozen=True)
class Shading:
    """What is told of each map for images of one size; empty where nothing was asked for."""

    sides: dict[FeatureMap, str]
    shares: dict[FeatureMap, float]
    """The cost of what makes a map, as a part of that of the map that costs most."""
    image: str = ""
    legend: tuple[tuple[str, style.Look | str], ...] = ()

    @classmethod
    def of(cls, grid: Grid, size: SizeLike | None, shade: str | None) -> "Shading":
        """Sizes where `size` is given, shades where `shade` is. Errors: `SizeError`; `UsageError`
        for another quantity.
        """
        if shade is not None and shade not in WORDS:
            raise UsageError(f"--shade: {unknown('quantity', shade, WORDS)}")
        if size is None and shade is None:
            return cls({}, {})
        image = counted_size(grid.spec, as_size(size))
        shapes = trace(grid, image).shapes if size is not None else {}
        sides = {each: shape_text(shape[1:]) for each, shape in shapes.items()}
        if shade is None:
            return cls(sides, {}, shape_text(image))
        costs = _costs(grid, image, shade)
        most = max(costs.values(), default=0) or 1
        shares = {each: cost / most for each, cost in costs.items()}
        told = f"{WORDS[shade](most)}, the most of a map"
        return cls(sides, shares, shape_text(image), ((told, _mixed(1)),))

    def fill(self, feature_map: FeatureMap) -> dict[str, str]:
        """The look of a map that is shaded."""
        share = self.shares.get(feature_map)
        return {} if share is None else {"fillcolor": _mixed(share)}


def _costs(grid: Grid, image: tuple[int, ...], shade: str) -> Counter[FeatureMap]:
    """What the connections into each map and its own layers cost, without stem and head; memory is
    that of a training step with one image in fp32.
    """
    if shade == "memory":
        return Counter(kept_by_map(grid, image, Setting()))
    targets = {each.name: each.target for each in grid} | {each.name: each for each in grid.maps}
    costs: Counter[FeatureMap] = Counter(dict.fromkeys(grid.maps, 0))
    for piece in breakdown(grid, image):
        if piece.part not in ("stem", "head"):
            costs[targets[piece.name]] += getattr(piece, shade)
    return costs


def _mixed(share: float) -> str:
    """White where nothing is, the darkest shade for the whole."""
    return f"#{bytes(round(255 + share * (most - 255)) for most in DARKEST).hex()}"
