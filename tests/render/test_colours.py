"""Connections are told apart by whoever confuses colours, by a simulation of their eyes."""

from itertools import combinations

import numpy as np
import pytest

from gridgen.render import style
from gridgen.render.overlay import COLOURS

# Machado, Oliveira, Fernandes: A physiologically-based model for simulation of color vision
# deficiency, 2009, table 1, severity 1.0; for linear RGB.
EYES = {
    "all cones": "1 0 0 0 1 0 0 0 1",
    "no red": "0.152286 1.052583 -0.204868 0.114503 0.786281 0.099216 -0.003882 -0.04812 1.051998",
    "no green": "0.367322 0.860646 -0.227968 0.280085 0.672501 0.047413 -0.01182 0.04294 0.96888",
    "no blue": "1.255528 -0.076749 -0.178779 -0.078411 0.930809 0.147602 0.004733 0.691367 0.3039",
}
LEAST = {"connections": 24, "overlays": 15}
"""Distances in CIE Lab, of which 2.3 are just seen; green and red of figure 1 are 4 apart."""


def lab(colour, eyes):
    """CIE Lab (1976, D65) of a colour as it is seen."""
    values = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    seen = np.clip(eyes @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ seen / [0.95047, 1, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("what", LEAST)
def test_no_two_lines_look_alike(what, eyes):
    colours = [*style.COLOURS.values()] if what == "connections" else [*COLOURS]
    seen = {
        colour: lab(colour, np.array(EYES[eyes].split(), float).reshape(3, 3)) for colour in colours
    }
    for one, other in combinations(colours, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > LEAST[what], (one, other)
