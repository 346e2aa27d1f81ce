"""Cityscapes' official scores of a network, gathered while a split is scored."""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import Tensor

from gridgen.data import Sample, load_dataset
from gridgen.data.dataset import Tick
from gridgen.errors import DataError, UsageError
from gridgen.files import write_file
from gridgen.training.evaluation.cityscapes.official import (
    PACKAGE,
    LabelIdWriter,
    require_official,
    score_official,
)
from gridgen.training.evaluation.cityscapes.scores import CityscapesScore, FourScores
from gridgen.training.evaluation.cityscapes.table import PUBLISHED, table

RESULT = "official.json"


@dataclass(frozen=True)
class Verdict:
    """What the official script says of a network, and what gridgen's own counts say."""

    split: str
    official: FourScores
    own: FourScores
    predictions: Path

    def table(self, name: str) -> list[tuple[str, ...]]:
        """The network called `name` beside the paper's: rows of five cells, headings first."""
        return table([(f"{name}, {self.split}", self.official)])

    def rows(self) -> list[tuple[str, str]]:
        """Label and value of the lines below the table."""
        far = self.own.difference(self.official)
        return [
            ("scored by", f"{PACKAGE} {version(PACKAGE)}"),
            ("own counts", f"give the same, but for {far:.0e} at most"),
            ("wrote", f"{self.predictions}: label ids of every image, and {RESULT}"),
        ]

    def as_json(self) -> dict[str, Any]:
        """Plain numbers in [0, 1]: of each class and category, and the paper's means."""
        return {
            "script": f"{PACKAGE} {version(PACKAGE)}",
            **self.official.as_json(),
            "own_differs_by": self.own.difference(self.official),
            "predictions": str(self.predictions),
            "paper": [published.as_json() for published in PUBLISHED],
        }


class Benchmark:
    """An observer that writes label ids to `folder`, for the official script, and counts too.

    Errors, before anything is predicted: `UsageError` where `data` is not cityscapes:PATH or the
    script is not installed, `DataError` where the split cannot be opened.
    """

    def __init__(self, data: str, split: str, folder: str | Path) -> None:
        name, _, self._root = data.partition(":")
        if name != "cityscapes" or not self._root:
            raise UsageError(
                f"--official needs Cityscapes, not {data}; give --data cityscapes:PATH"
            )
        require_official()
        self._split, self._left = split, set(load_dataset(data, split).names)
        self._writer, self._own = LabelIdWriter(folder), CityscapesScore()

    def see(self, sample: Sample, answer: Tensor) -> None:
        """Write it and count it."""
        self._writer.see(sample, answer)
        self._own.see(sample, answer)
        self._left.discard(sample.name)

    def verdict(self, tick: Tick = lambda *_: None) -> Verdict:
        """Have the split scored, and what is said of it kept as official.json.

        Errors: `DataError` where not all of its images were seen, or where the script fails.
        """
        if self._left:
            fact = f"{len(self._left)} images were not seen, such as {min(self._left)}"
            raise DataError(f"--official scores all of {self._split}; {fact}")
        folder = self._writer.folder
        official = score_official(folder, self._root, self._split, tick)
        verdict = Verdict(self._split, official, self._own.scores(), folder)
        write_file(folder / RESULT, json.dumps(verdict.as_json(), indent=2) + "\n")
        return verdict
