"""The process in which the official script of Cityscapes runs.

Its argument is a job, a JSON file {"predictions": folder, "truths": files, "found": file}; the
script writes its result to the last one. What it prints goes to stdout, as does why it failed.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np

MODULE = "cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling"


def main() -> None:
    """Do one job."""
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    vars(np).setdefault("in1d", np.isin)  # gone in numpy 2.4, but the script calls it
    script = import_module(MODULE)
    args = script.args
    args.predictionPath, args.predictionWalk = job["predictions"], None
    args.evalInstLevelScore = args.JSONOutput = True
    args.exportFile = job["found"]
    predictions = [script.getPrediction(args, truth) for truth in job["truths"]]
    script.evaluateImgLists(predictions, job["truths"], args)


if __name__ == "__main__":
    main()
