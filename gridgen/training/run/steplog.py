"""steps.csv: loss and pace every few steps, one line after the other."""

from pathlib import Path

from gridgen.errors import FileError
from gridgen.files import write_file

COLUMNS = ("step", "learning_rate", "loss", "images_per_second", "waiting")
StepRow = dict[str, float]


class StepLog:
    """The file of a run. A line that is torn, by a kill or a power cut, is passed over."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> list[StepRow]:
        """What has been written, in order."""
        if not self.path.is_file():
            return []
        text = self.path.read_text("utf-8", errors="replace")
        lines = text.split("\n")[1:-1]
        return [row for row in map(_row, lines) if row is not None]

    def cut(self, step: int) -> None:
        """Begin anew, or go on after `step`."""
        kept = [_line(row) for row in self.rows() if row["step"] <= step]
        write_file(self.path, "".join([",".join(COLUMNS) + "\n", *kept]))

    def add(self, row: StepRow) -> None:
        """One more line. Errors: `FileError`."""
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(_line(row))
        except OSError as error:
            raise FileError(f"{self.path}: cannot be written: {error.strerror or error}") from error


def _row(line: str) -> StepRow | None:
    """None for a line that is not whole."""
    try:
        return dict(zip(COLUMNS, map(float, line.split(",")), strict=True))
    except ValueError:
        return None


def _line(row: StepRow) -> str:
    """Losses and rates to the last bit, so that two runs can be compared; the pace is rounded."""
    exact = (f"{row['step']:.0f}", repr(row["learning_rate"]), repr(row["loss"]))
    return ",".join([*exact, f"{row['images_per_second']:.2f}", f"{row['waiting']:.4f}"]) + "\n"
