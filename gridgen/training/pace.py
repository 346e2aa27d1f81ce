"""How fast a training went, in words, and what held it up."""

from collections.abc import Sequence

from gridgen.training.steplog import StepRow

TOO_MUCH = 0.2
"""Share of the time spent waiting for data from which on it is worth a word."""


def pace_text(row: StepRow) -> str:
    """Images per second, and the share of the time that went by waiting for data."""
    return f"{row['images_per_second']:.3g} images/s, {row['waiting']:.0%} waiting for data"


def waiting_share(rows: Sequence[StepRow]) -> float:
    """Of the whole time; each line of steps.csv is of as many images, which took their time."""
    times = [1 / max(row["images_per_second"], 1e-9) for row in rows]
    waited = [time * row["waiting"] for time, row in zip(times, rows, strict=True)]
    return sum(waited) / sum(times) if times else 0.0


def bottleneck(rows: Sequence[StepRow], workers: int) -> str | None:
    """A lint: that images are loaded more slowly than they are learnt from, and what to change."""
    share = waiting_share(rows)
    if share <= TOO_MUCH:
        return None
    fix = f"raise workers in the recipe (now {workers})"
    return f"{share:.0%} of the time was spent waiting for data; {fix}, or make the images smaller"
