"""The picture of a search: score against parameters, one mark for each topology."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gridgen.figures import save_figure
from gridgen.figures.feasible_set import COLOURS, MARKS


class ScoredSpec(NamedTuple):
    """A point of the picture: a trained candidate."""

    number: int
    topology: str
    parameters: int
    score: float


def draw_search(
    found: Sequence[ScoredSpec], path: Path, title: str, objective: str, limit: int | None
) -> None:
    """Draw trained candidates, the best first, and a limit on parameters as a line."""
    from matplotlib.figure import Figure  # half a second that nothing else needs

    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axis = figure.subplots()
    for index, name in enumerate(sorted({one.topology for one in found})):
        points = [one for one in found if one.topology == name]
        axis.scatter(
            [point.parameters for point in points],
            [point.score for point in points],
            label=name,
            color=COLOURS[index % len(COLOURS)],
            marker=MARKS[index % len(MARKS)],
            s=42,
        )
    best = found[0]
    axis.annotate(
        f"best: trial {best.number}",
        (best.parameters, best.score),
        xytext=(0, 8),
        textcoords="offset points",
        ha="center",
    )
    if limit is not None:
        axis.axvline(limit, color="#8a8a8a", linestyle="--", linewidth=1, label="budget")
    axis.set(xscale="log", xlabel="parameters", ylabel=objective, title=title)
    axis.margins(y=0.12)
    axis.grid(alpha=0.3, which="both")
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    save_figure(figure, path)
