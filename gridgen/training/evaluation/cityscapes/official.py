"""The official scores of Cityscapes: what the script of its authors says of files of label ids.

Needs the extra `cityscapes`. The same scores without it: `cityscapes`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from torch import Tensor

from gridgen.data import Sample
from gridgen.data.cityscapes.labels import LABEL_IDS
from gridgen.data.dataset import Tick
from gridgen.errors import DataError, UsageError, ending
from gridgen.files import write_file
from gridgen.training.evaluation.cityscapes.scores import SCORED, Column, FourScores
from gridgen.training.pictures.sheet import png

SCRIPT = Path(__file__).with_name("official_script.py")
PACKAGE = "cityscapesscripts"
DONE = "Images Processed: "
"""What the script says after each image, before its number."""
VARIABLES = "CITYSCAPES_"
"""What names of environment variables that the script reads begin with."""
FOUND = {
    "iou_class": ("classScores", "averageScoreClasses"),
    "iiou_class": ("classInstScores", "averageScoreInstClasses"),
    "iou_category": ("categoryScores", "averageScoreCategories"),
    "iiou_category": ("categoryInstScores", "averageScoreInstCategories"),
}


class LabelIdWriter:
    """An observer that writes every answer as the official script reads it: NAME_labelIds.png, a
    grey PNG of 8 bits whose pixels are label ids.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def see(self, sample: Sample, answer: Tensor) -> None:
        """Write an answer in train ids."""
        picture = Image.fromarray(LABEL_IDS[answer.numpy()])
        write_file(self.folder / f"{sample.name}_labelIds.png", png(picture))


def require_official() -> None:
    """The official script is installed, or a `UsageError` says how it is."""
    if find_spec(PACKAGE) is None:
        raise UsageError(f"{PACKAGE} is not installed; pip install 'gridgen[cityscapes]'")


def score_official(
    predictions: str | Path,
    root: str | Path,
    split: str = "val",
    tick: Tick = lambda *_: None,
) -> FourScores:
    """What the official script says of the label ids in `predictions` for a split of `root`.

    It runs in a process of its own, as its arguments are a global of its module.
    `tick(done, total)` hears of each image. Errors: `UsageError` where it is not installed,
    `DataError` with what it says where it fails.
    """
    require_official()
    truths = sorted(Path(root).resolve().glob(f"gtFine/{split}/*/*_gtFine_labelIds.png"))
    if not truths:
        raise DataError(f"{root}: no gtFine/{split}/CITY/*_gtFine_labelIds.png; nothing to score")
    with TemporaryDirectory() as folder:
        job, found = Path(folder, "job.json"), Path(folder, "found.json")
        job.write_text(
            json.dumps(
                {
                    "predictions": str(Path(predictions).resolve()),
                    "truths": list(map(str, truths)),
                    "found": str(found),
                }
            )
        )
        _run(job, lambda done: tick(done, len(truths)))
        return _scores(json.loads(found.read_text("utf-8")))


def _run(job: Path, tick: Callable[[int], None]) -> None:
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
                tick(int(number))
            said = line.strip() or said
    if child.returncode:
        raise DataError(f"{PACKAGE}: {_cause(child.returncode, said)}")


def _cause(code: int, said: str) -> str:
    fact = said.removeprefix("ERROR: ") if code > 0 else ""
    return fact or ending(code)


def _scores(found: dict[str, Any]) -> FourScores:
    """Of the script's result, without what it lists but does not score."""
    columns = {}
    for name, (values, mean) in FOUND.items():
        scored = {key: found[values][key] for key in SCORED[name]}
        columns[name] = Column(scored, found[mean])
    return FourScores(**columns)
