"""The official scores of Cityscapes: what the script of its authors says of files of label ids.

Needs the extra `cityscapes`. The same scores without it: `cityscapes`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from torch import Tensor

from gridgen.arguments import PathLike
from gridgen.data import Sample, load_dataset
from gridgen.data.cityscapes import LABEL_IDS, scenes
from gridgen.errors import DataError, UsageError, ending
from gridgen.files import read_text, write_file
from gridgen.progress import OnProgress, no_progress
from gridgen.training.scoring.cityscapes import (
    PUBLISHED,
    SCORED,
    CityscapesScore,
    FourScores,
    ScoreColumn,
    table,
)
from gridgen.training.tasks.pixels import encoded

SCRIPT = Path(__file__).with_name("official_script.py")
PACKAGE = "cityscapesscripts"
DONE = "Images Processed: "
"""Words of the script after each image, before its number."""
VARIABLES = "CITYSCAPES_"
"""Prefix of the environment variables that the script reads."""
FOUND = {
    "iou_class": ("classScores", "averageScoreClasses"),
    "iiou_class": ("classInstScores", "averageScoreInstClasses"),
    "iou_category": ("categoryScores", "averageScoreCategories"),
    "iiou_category": ("categoryInstScores", "averageScoreInstCategories"),
}


def write_label_ids(folder: Path, name: str, answer: Tensor) -> Path:
    """Write an answer in train ids as the official script reads it: NAME_labelIds.png, a grey PNG
    of 8 bits whose pixels are label ids.
    """
    picture = Image.fromarray(LABEL_IDS[answer.numpy()])
    return write_file(folder / f"{name}_labelIds.png", encoded(picture))


def require_official() -> None:
    """The official script is installed, or a `UsageError` says how it is."""
    if find_spec(PACKAGE) is None:
        raise UsageError(f"{PACKAGE} is not installed; pip install 'gridgen[cityscapes]'")


def score_official(
    predictions: PathLike,
    root: PathLike,
    split: str = "val",
    on_progress: OnProgress = no_progress,
) -> FourScores:
    """Have the official script score the label ids in `predictions` for a split of `root`.

    It runs in a process of its own, as its arguments are a global of its module.
    `on_progress` is called for each image. Errors: `UsageError` where it is not installed,
    `DataError` with what it says where it fails, or where the split cannot be opened.
    """
    require_official()
    truths = [str(scene.label.resolve()) for scene in scenes(Path(root), split)]
    with TemporaryDirectory() as folder:
        job, found = Path(folder, "job.json"), Path(folder, "found.json")
        asked = {"predictions": str(Path(predictions).resolve()), "truths": truths}
        job.write_text(json.dumps({**asked, "found": str(found)}), "utf-8")
        _run(job, lambda done: on_progress(done, len(truths)))
        return _scores(json.loads(read_text(found)))


def _run(job: Path, seen: Callable[[int], None]) -> None:
    """Give the job to the script and wait for it."""
    # By its path, which spares it torch; unbuffered, as the cause of a failure is the last line.
    command = [sys.executable, "-P", "-u", str(SCRIPT), str(job)]
    env = {name: value for name, value in os.environ.items() if not name.startswith(VARIABLES)}
    said = ""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    ) as child:
        for line in child.stdout or ():
            number = line.removeprefix(DONE).strip()
            if line.startswith(DONE) and number.isdecimal():
                seen(int(number))
            said = line.strip() or said
    if child.returncode:
        fact = said.removeprefix("ERROR: ") if child.returncode > 0 else ""
        raise DataError(f"{PACKAGE}: {fact or ending(child.returncode)}")


def _scores(found: dict[str, Any]) -> FourScores:
    """The scores in the script's result, without what it lists but does not score."""
    columns = {}
    for name, (values, mean) in FOUND.items():
        scored = {key: found[values][key] for key in SCORED[name]}
        columns[name] = ScoreColumn(scored, found[mean])
    return FourScores(**columns)


RESULT = "official.json"


@dataclass(frozen=True)
class Verdict:
    """The scores of a network by the official script, and by gridgen's own counts."""

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

    def __init__(self, data: str, split: str, folder: PathLike) -> None:
        name, _, self._root = data.partition(":")
        if name != "cityscapes" or not self._root:
            raise UsageError(
                f"--official needs Cityscapes, not {data}; give --data cityscapes:PATH"
            )
        require_official()
        self._split, self._left = split, set(load_dataset(data, split).names)
        self._folder, self._own = Path(folder), CityscapesScore()

    def see(self, sample: Sample, answer: Tensor) -> None:
        """Write it and count it."""
        write_label_ids(self._folder, sample.name, answer)
        self._own.see(sample, answer)
        self._left.discard(sample.name)

    def verdict(self, on_progress: OnProgress = no_progress) -> Verdict:
        """Have the split scored, and what is said of it kept as official.json.

        Errors: `DataError` where not all of its images were seen, or where the script fails.
        """
        if self._left:
            fact = f"{len(self._left)} images were not seen, such as {min(self._left)}"
            raise DataError(f"--official scores all of {self._split}; {fact}")
        official = score_official(self._folder, self._root, self._split, on_progress)
        verdict = Verdict(self._split, official, self._own.scores(), self._folder)
        write_file(self._folder / RESULT, json.dumps(verdict.as_json(), indent=2) + "\n")
        return verdict
