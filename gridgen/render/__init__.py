"""Pictures of a grid. No torch."""

from gridgen.render.drawing import draw as draw, draw_difference as draw_difference
from gridgen.render.overlay import draw_overlay as draw_overlay
from gridgen.render.paths import draw_paths as draw_paths
from gridgen.render.picture import FORMATS as FORMATS, Picture as Picture
from gridgen.render.units import draw_unit as draw_unit
