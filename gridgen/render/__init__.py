"""Pictures of a grid. No torch."""

from gridgen.render.drawing import draw, draw_difference
from gridgen.render.overlay import draw_overlay
from gridgen.render.paths import draw_paths
from gridgen.render.picture import FORMATS, Picture
from gridgen.render.units import draw_unit
