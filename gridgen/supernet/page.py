"""The page of a supernet: what its sub-networks score without training, and whether to trust it."""

from math import isnan
from pathlib import Path
from typing import Any

from gridgen.arguments import PathLike, checked
from gridgen.files import write_file
from gridgen.grid.subtopologies import Subtopology
from gridgen.pages.page import ChartCurve, embedded_file, rendered
from gridgen.pages.plot import PlotPoint, plot, stepped
from gridgen.render.sketch import sketch
from gridgen.supernet.check import FIGURE, Agreement, trust
from gridgen.supernet.choosing import SupernetFront, best_of
from gridgen.supernet.scoring import SubnetworkScore


@checked
def write_supernet_page(path: PathLike, found: SupernetFront) -> Path:
    """Write the scores of a supernet's sub-networks as one HTML page. Errors: `FileError`."""
    return write_file(path, supernet_page(found))


def supernet_page(found: SupernetFront) -> str:
    """The page as HTML."""
    front = found.front
    return rendered(
        "supernet",
        run=found.run,
        trust=trust(found.agreement),
        checked=found.agreement is not None,
        agreement=_agreement_rows(found.agreement),
        compared=_picture(found),
        scored=len(found.scored),
        number=found.number,
        plot=_plot(found, front),
        front=_front_rows(found, front),
        take=found.take_command(best_of(found)),
        sketches=[(_target(each), _unbroken(each.name), sketch(each.grid)) for each in front],
    )


def _picture(found: SupernetFront) -> str | None:
    """Each network by both scores, as `gridgen supernet check` drew it; None where it did not."""
    path = Path(found.run) / FIGURE
    return embedded_file(path) if found.agreement else None


def _agreement_rows(found: Agreement | None) -> list[list[str]]:
    """A column for each score."""
    if found is None:
        return []
    by_score = {column: dict(each.rows()) for column, each in found.scores.items()}
    labels = dict.fromkeys(label for rows in by_score.values() for label in rows)
    rows = [["", *by_score]]
    return rows + [
        [label, *(each.get(label, "") for each in by_score.values())] for label in labels
    ]


def _plot(found: SupernetFront, front: list[SubnetworkScore]) -> dict[str, Any] | None:
    """Score against MACs; those that nothing as cheap beats are full, and lead to their sketch."""
    marked = set(front)
    points = [
        PlotPoint(
            macs := each.costs["macs"],
            score := each.scores[found.objective],
            _target(each) if each in marked else "",
            f"{each.name}: {score:.4f}, {macs / 1e6:,.0f} MMAC",
            "best" if each in marked else "hollow",
        )
        # Those of the front are drawn last, above the others.
        for each in sorted(found.scored, key=lambda each: each in marked)
        if not isnan(each.scores[found.objective])
    ]
    steps = [(float(each.costs["macs"]), each.scores[found.objective]) for each in front]
    line = ChartCurve("front", "front", stepped(steps))
    return plot(f"{found.objective} without training, against MACs", "MACs", points, [line])


def _front_rows(found: SupernetFront, front: list[SubnetworkScore]) -> list[list[str]]:
    others = [name for name in found.metrics if name != found.objective]
    rows = [["sub-network", found.objective, *others, "parameters", "MMAC"]]
    for each in front:
        scores = [f"{each.scores[name]:.4f}" for name in (found.objective, *others)]
        costs = f"{each.costs['parameters']:,}", f"{each.costs['macs'] / 1e6:,.0f}"
        rows.append([each.name, *scores, *costs])
    return rows


def _unbroken(name: str) -> str:
    """A name that is broken after its comma alone."""
    return name.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")


def _target(each: SubnetworkScore) -> str:
    return f"network-{Subtopology.of(each.grid).name}-{each.grid.channels_of(each.grid.input)}"
