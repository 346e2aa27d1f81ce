"""Drawn pictures whose classes depend on a key far away. They are generated from a seed."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import interpolate

from gridgen.data.dataset import Sample, require_split

BACKGROUND, LARGER, SMALLER = range(3)
# Sides of the regular polygon; 32 of them make a disc at this size.
KINDS = {"triangle": 3, "square": 4, "disc": 32}
# Length of each split, whose place here is also its stream of random numbers.
SPLITS = {"train": 1000, "val": 64}
SIDE = 64
# The picture is 3x3 cells, numbered row by row.
CELL = SIDE / 3
CORNERS = (0, 2, 6, 8)
PANEL = 20
# Radii in pixels: of figures, from least to most, and of keys. No figure is near a key in size.
SMALL, LARGE = (2.6, 3.4), (4.8, 5.6)
KEYS = (1.8, 4.1, 6.4)
# Circumradius of the triangle, the longest kind, over that of the circle of its area.
REACH = 2 * np.sqrt(np.pi / np.sqrt(27))
TURN = 2 * np.pi

Texture = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A regular polygon. Lengths are in pixels, the angle in radians, the colour in [0, 1]."""

    kind: str
    row: float
    column: float
    radius: float
    angle: float
    colour: tuple[float, float, float]

    def mask(self) -> npt.NDArray[np.bool_]:
        """(SIDE, SIDE): the pixels inside.

        All kinds of one radius have the area of that circle, pi r^2 = n a^2 tan(pi / n) for n
        sides at distance a from the centre, so that size does not tell the kind.
        """
        n = KINDS[self.kind]
        a = self.radius * np.sqrt(np.pi / (n * np.tan(np.pi / n)))
        # What is further away than a corner is outside, and need not be looked at.
        reach = a / np.cos(np.pi / n)
        rows, columns = (
            slice(max(int(middle - reach), 0), int(middle + reach) + 1)
            for middle in (self.row, self.column)
        )
        y, x = np.mgrid[rows, columns] + 0.5 - np.array([self.row, self.column])[:, None, None]
        normals = self.angle + 2 * np.pi / n * np.arange(n)[:, None, None]
        inside = np.zeros((SIDE, SIDE), dtype=np.bool_)
        inside[rows, columns] = (np.cos(normals) * x + np.sin(normals) * y <= a).all(0)
        return inside


@dataclass(frozen=True, eq=False)
class Scene:
    """The contents of a picture, before it is drawn. Only its labels depend on the key's size."""

    texture: Texture
    grain: Texture
    figures: tuple[Figure, ...]
    key: Figure


class Shapes:
    """Pictures of 64x64 RGB pixels: which figures are larger than the key, which are smaller?

    A black panel in one corner holds the key, a white triangle, square or disc. Six more
    figures, three small and three large ones, are `larger` or `smaller` in area than the key,
    which is less than all of them, between, or more; panel and key are background. Colour,
    kind, angle and place of a figure tell nothing of its class, nor does anything near it: who
    does not see the key reaches a mean IoU of 0.65 at best, and a lookup by colour half of
    that. A training crop must be the whole picture. Sample i depends on (seed, split, i) alone.
    """

    name = "shapes"
    task = "segmentation"
    classes = ("background", "larger", "smaller")
    colours = ((40, 40, 40), (0, 158, 115), (213, 94, 0))
    channels = 3

    def __init__(self, split: str = "train", seed: int = 0) -> None:
        require_split(self.name, split, SPLITS)
        self._split, self._seed = split, seed
        self.names = tuple(f"{split}-{index:04d}" for index in range(SPLITS[split]))
        self.sizes = ((SIDE, SIDE),) * SPLITS[split]

    def __len__(self) -> int:
        return SPLITS[self._split]

    def __getitem__(self, index: int) -> Sample:
        index = range(len(self))[index]
        image, label = _drawn(self._seed, self._split, index)
        # New tensors, since whoever gets a sample may change it.
        return Sample(self.names[index], image.float() / 255, label.long())


@lru_cache(maxsize=2 * sum(SPLITS.values()))
def _drawn(seed: int, split: str, index: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Kept from epoch to epoch, 16 KB each, as to draw takes longer than to learn."""
    return draw(imagine(seed, split, index))


def imagine(seed: int, split: str, index: int) -> Scene:
    """The scene of one sample: 3x3 cells, the key in a corner, six figures in other cells."""
    rng = np.random.default_rng([seed, list(SPLITS).index(split), index])
    corner = int(rng.choice(CORNERS))
    ground = rng.random(3)
    cells = rng.permutation([cell for cell in range(9) if cell != corner])
    sizes = 3 * (SMALL, LARGE)
    return Scene(
        texture=ground + _blobs(rng),
        grain=rng.normal(0, 0.04, (SIDE, SIDE, 3)),
        figures=tuple(
            _figure(rng, int(cell), size, ground) for cell, size in zip(cells, sizes, strict=False)
        ),
        key=_key(rng, corner),
    )


def draw(scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """Image (3, SIDE, SIDE), 0 to 255, and label (SIDE, SIDE), both in bytes."""
    canvas = scene.texture.copy()
    label = np.full((SIDE, SIDE), BACKGROUND, dtype=np.uint8)
    for figure in scene.figures:
        mask = figure.mask()
        canvas[mask] = figure.colour
        label[mask] = LARGER if figure.radius > scene.key.radius else SMALLER
    canvas += scene.grain
    canvas[_panel(scene.key)] = 0
    canvas[scene.key.mask()] = scene.key.colour
    levels = np.rint(np.clip(canvas, 0, 1) * 255).astype(np.uint8)
    return torch.from_numpy(levels).permute(2, 0, 1).contiguous(), torch.from_numpy(label)


def _figure(
    rng: np.random.Generator, cell: int, size: tuple[float, float], ground: Texture
) -> Figure:
    """A figure that fits in its cell at any angle, in a colour far from the ground's."""
    radius = rng.uniform(*size)
    reach = REACH * radius
    row, column = rng.uniform(reach, CELL - reach, 2) + CELL * np.array(divmod(cell, 3))
    colour = rng.random(3)
    while np.linalg.norm(colour - ground) < 0.5:
        colour = rng.random(3)
    red, green, blue = colour.tolist()
    return Figure(_kind(rng), row, column, radius, rng.uniform(0, TURN), (red, green, blue))


def _key(rng: np.random.Generator, corner: int) -> Figure:
    """The key in the middle of its panel."""
    row, column = (PANEL / 2 if place == 0 else SIDE - PANEL / 2 for place in divmod(corner, 3))
    radius = float(rng.choice(KEYS))
    return Figure(_kind(rng), row, column, radius, rng.uniform(0, TURN), (1.0, 1.0, 1.0))


def _kind(rng: np.random.Generator) -> str:
    return str(rng.choice(list(KINDS)))


def _panel(key: Figure) -> tuple[slice, slice]:
    """Rows and columns of the panel around a key."""
    top, left = int(key.row - PANEL / 2), int(key.column - PANEL / 2)
    return slice(top, top + PANEL), slice(left, left + PANEL)


def _blobs(rng: np.random.Generator) -> Texture:
    """(SIDE, SIDE, 3): soft blotches around 0, a few of them from edge to edge."""
    coarse = torch.from_numpy(rng.uniform(-0.25, 0.25, (1, 3, 5, 5)))
    fine = interpolate(coarse, (SIDE, SIDE), mode="bilinear", align_corners=True)
    blobs: Texture = fine[0].permute(1, 2, 0).numpy()
    return blobs
