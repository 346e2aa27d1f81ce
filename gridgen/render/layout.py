"""Where things stand: columns and rows of the grid to Graphviz positions."""

from gridgen.render import style


def position(column: float, row: float) -> str:
    """A Graphviz position, pinned. Rows count downwards, points upwards."""
    return f"{column * style.COLUMN_STEP:g},{-row * style.STREAM_STEP:g}!"


def inches(points: float) -> str:
    """Graphviz sizes nodes in inches."""
    return f"{points / 72:.3f}"
