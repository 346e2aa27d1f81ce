"""The table of scores in a supernet's run, subnetworks.csv: each is found once.

A row is of one network with one state of weights, data and recipe, each known by a digest.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from gridgen.errors import RunError, reason_of
from gridgen.files import is_file, read_text, write_file
from gridgen.grid import Grid
from gridgen.grid.subtopologies import Subtopology
from gridgen.names import csv_text, has_other_length

DIGITS = 12
"""Of a digest that stands in the table."""
COSTS = ("parameters", "macs")
KNOWN_BY = ("weights", "network")


class KeptScore(NamedTuple):
    """What is known of a network: what it costs, and its scores by column of metrics.csv."""

    costs: Mapping[str, int]
    scores: Mapping[str, float]


@dataclass
class KeptScores:
    """The scores in a file, for one state of the weights; those of others stay as they are.

    Errors: `RunError` where the file is damaged.
    """

    path: Path
    weights: str
    columns: Sequence[str]
    _known: dict[str, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        rows = _read(self.path)
        self._known = {row["network"]: row for row in rows if row["weights"] == self.weights}

    def find(self, grid: Grid) -> KeptScore | None:
        """What is known of a network."""
        row = self._known.get(_digest(grid))
        if row is None:
            return None
        try:
            costs = {name: int(row[name]) for name in COSTS}
            return KeptScore(costs, {name: float(row[name]) for name in self.columns})
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(self.path, str(error)) from error

    def keep(self, grid: Grid, found: KeptScore) -> None:
        """Add a network and write the file, so that a kill costs one score.

        What others have written until now stays; what they write in this very moment may be lost,
        and is found again.
        """
        about = {"weights": self.weights, "network": _digest(grid), "shape": grid.spec.shape}
        # `gridgen supernet take --as` knows a topology by its hash.
        about |= {"topology": Subtopology.of(grid).name}
        about |= {"connections": " ".join(connection.name for connection in grid)}
        values = {name: str(value) for name, value in {**found.costs, **found.scores}.items()}
        self._known[about["network"]] = about | values
        rows = [*_read(self.path), about | values]
        names = list(dict.fromkeys(name for row in rows for name in row))
        lines = [[row.get(name, "") for name in names] for row in rows]
        write_file(self.path, csv_text([names, *lines]))

    @property
    def connections(self) -> Iterator[tuple[str, ...]]:
        """Those of each network that is known."""
        return (tuple(row.get("connections", "").split()) for row in self._known.values())


def _digest(grid: Grid) -> str:
    return grid.fingerprint[:DIGITS]


def _read(path: Path) -> list[dict[str, str]]:
    if not is_file(path):
        return []
    try:
        reader = csv.DictReader(StringIO(read_text(path), newline=""))
        rows = list(reader)
        if not {*KNOWN_BY} <= {*(reader.fieldnames or ())}:
            raise KeyError("its first line names no networks")
        if any(not row[name] for row in rows for name in KNOWN_BY):
            raise KeyError("a row names no network")
        if any(map(has_other_length, rows)):
            raise KeyError("a row has more or fewer values than the first line names")
    except OSError as error:
        raise _damaged(path, reason_of(error)) from error
    except (ValueError, KeyError, csv.Error) as error:
        raise _damaged(path, str(error)) from error
    return rows


def _damaged(path: Path, why: str) -> RunError:
    return RunError(f"{path}: damaged: {why}; remove it, and the scores are found again")
