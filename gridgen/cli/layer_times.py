"""Tables of layer times: `gridgen calibrate --latency` and `gridgen count --latency`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridgen.cli.costs import setting_of
from gridgen.cli.tables import print_table
from gridgen.cli.terminal import print_json, print_rows, progress
from gridgen.errors import UsageError
from gridgen.files import write_file
from gridgen.grid.layers import shape_text
from gridgen.spec.document import dump

if TYPE_CHECKING:
    from gridgen.grid import Grid
    from gridgen.grid.tracing import Size
    from gridgen.latency import LayerTimes

LAYER_TIMES = "layer-times.yaml"
"""Where they are written if nobody says so."""


def _milliseconds(seconds: float) -> str:
    """Three digits, and no more than are known.

    >>> _milliseconds(0.01234), _milliseconds(33.333)
    ('12.3 ms', '33,300 ms')
    """
    return f"{float(f'{1000 * seconds:.3g}'):,g} ms"


def calibrate_latency(
    device: str, threads: int, precision: str, output: Path | None, as_json: bool
) -> None:
    """Time layers, write the table, and print how far it is to be trusted."""
    from gridgen.training.loop.layer_timing import calibrate_latency as measured

    with progress("measuring") as on_progress:
        checked = setting_of({"precision": precision}).precision
        table = measured(device, threads=threads, precision=checked, on_progress=on_progress)
    path = write_file(output or Path(LAYER_TIMES), dump(table))
    if as_json:
        held_out = [each.as_json() for each in table.predictions]
        print_json({"machine": table.machine, "held_out": held_out, "file": str(path)})
        return
    rows = [("held out", "for an image of", "measured", "predicted", "error")]
    for each in table.predictions:
        size = shape_text(each.network.size)
        times = f"{1000 * each.network.seconds:.2f} ms", f"{1000 * each.seconds:.2f} ms"
        name = f"{each.network.spec.title}, {each.network.spec.shape}"
        rows.append((name, size, *times, f"{each.error:+.1%}"))
    print_table(rows)
    print()
    print_rows([("device", table.machine), ("error", table.trust), ("wrote", str(path))])


def layer_times(path: Path, precision: str | None) -> "LayerTimes":
    """The table of a file. Errors: `UsageError` for one of another precision, where one is asked
    for.
    """
    from gridgen.latency import LayerTimes

    table = LayerTimes.of_file(path)
    if precision not in (None, table.precision):
        fact = f"{path} was measured in {table.precision}"
        raise UsageError(f"--precision: {fact}; leave it out, or measure it so")
    return table


@dataclass(frozen=True)
class PredictedTime:
    """What a table predicts for a batch of images."""

    table: "LayerTimes"
    seconds: float
    image: "Size"
    batch: int

    @classmethod
    def of(cls, table: "LayerTimes", grid: "Grid", image: "Size", batch: int) -> "PredictedTime":
        """Errors: `UsageError` for networks that the table cannot tell of."""
        return cls(table, table.seconds(grid, image, batch), image, batch)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        table = self.table
        return {"seconds": self.seconds, "worst_error": table.worst, "machine": table.machine}

    def rows(self) -> list[tuple[str, str]]:
        """The prediction, how far it can be trusted, and of what machine it is."""
        images = f"{self.batch} of {shape_text(self.image)}"
        cores = f"threads {self.table.threads}, {self.table.precision}"
        return [
            ("latency", f"about {_milliseconds(self.seconds)} for {images}"),
            ("", f"wrong by {self.table.trust}"),
            ("", f"{self.table.machine}, {cores}"),
        ]
