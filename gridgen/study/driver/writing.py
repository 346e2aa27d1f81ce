"""Writing the answer of a search, whenever it ends: the best spec, the tables, the report."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gridgen.arguments import PathLike, checked
from gridgen.files import is_file, read_text, write_file
from gridgen.grid.layers import shape_text
from gridgen.spec.document import dump
from gridgen.study.candidates.formula import let_through
from gridgen.study.language.objectives import LATENCY
from gridgen.study.language.study import Study
from gridgen.study.report.answer import searched
from gridgen.study.report.asked import Asked
from gridgen.study.report.page import write_page
from gridgen.study.report.result import Result
from gridgen.study.store.standing import study_trials
from gridgen.study.store.tables import write_tables
from gridgen.study.trials import TrialRecord
from gridgen.training.loop.latency import LatencySetting
from gridgen.training.run.folder import STUDY

NONE: Mapping[str, int] = MappingProxyType({})
BEST = "best.yaml"
END = "end.json"
"""What the database does not hold: why the search ended, and what it refused since its start."""


def asked_of(
    study: Study,
    folder: Path,
    refused: Mapping[str, int] = NONE,
    stopped: str = "",
    screened: str = "",
) -> Asked:
    """What the report says of the question."""
    place = shlex.quote(str(folder))
    weights = f"gridgen study {place} best --weights best.safetensors"
    return Asked(
        title=folder.name,
        objective=study.objective,
        data=study.data,
        limits=dict(study.limits.limits()) | _latency_limit(study),
        seeds=study.seeds,
        about=(
            ("sampler", study.sampler),
            ("pruner", study.pruner),
            *((("prefilter", study.prefilter),) if study.prefilter is not None else ()),
            *((("scores", screened),) if screened else ()),
            *((("match", _matched(study)),) if study.match is not None else ()),
            *((("latency", _timed(study.latency)),) if study.latency is not None else ()),
            *((("bound: paper", admitted),) if (admitted := let_through(study)) else ()),
        ),
        stopped=stopped,
        commands=(
            ("go on", f"gridgen search {place}/study.yaml -o {place}"),
            ("weights of the best", weights),
        ),
        refused=dict(refused),
        screened=screened,
        against=study.against,
    )


def _latency_limit(study: Study) -> dict[str, int]:
    """The limit of the latency, in microseconds, where there is one."""
    limit = None if study.latency is None else study.latency.at_most
    return {} if limit is None else {LATENCY: round(1000 * limit)}


def _timed(setting: LatencySetting) -> str:
    images = "an image" if setting.batch == 1 else f"{setting.batch} images"
    threads = f", threads: {setting.threads}" if setting.device == "cpu" else ""
    size = shape_text(setting.size)
    return f"of {images} of {size} in {setting.precision} on {setting.device}{threads}"


def _matched(study: Study) -> str:
    assert study.match is not None
    quantity = study.match.quantity.replace("_", " ")
    return f"{quantity} {study.match.wanted:,}, within {100 * study.match.within:.4g} %"


def write_answer(folder: Path, asked: Asked, records: Sequence[TrialRecord]) -> Result:
    """Write what is known so far into the folder of a search."""
    result = Result(folder, asked, tuple(records))
    write_tables(folder, records)
    best = searched(records)
    if best:
        write_file(folder / BEST, _best(asked, best[0]))
    told = {"stopped": asked.stopped, "refused": dict(asked.refused), "screened": asked.screened}
    write_file(folder / END, json.dumps(told, indent=2) + "\n")
    write_page(result)
    return result


@checked
def write_study_report(folder: PathLike, path: PathLike | None = None) -> Path:
    """Write the page of a search again, finished or not; by default to FOLDER/report.html.

    Errors: `RunError` for a folder without a study, and for a damaged database; `FileError`.
    """
    folder = Path(folder)
    records = study_trials(folder)
    asked = asked_of(Study.load(folder / STUDY), folder, **ended(folder))
    return write_page(Result(folder, asked, tuple(records)), None if path is None else Path(path))


def ended(folder: Path) -> dict[str, Any]:
    """What was kept when the search in a folder last ended: why, what it refused, and what scored
    candidates without training; nothing of one that never did, or was damaged.
    """
    path = folder / END
    try:
        told = json.loads(read_text(path)) if is_file(path) else {}
        refused = {str(reason): int(many) for reason, many in told["refused"].items()}
        screened = str(told.get("screened", ""))  # which older files do not have
        return {"stopped": str(told["stopped"]), "refused": refused, "screened": screened}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _best(asked: Asked, record: TrialRecord) -> str:
    parameters = record.candidate.costs["parameters"]
    found = f"# {asked.objective} {record.score:.4f} on {asked.data}, {parameters:,} parameters"
    changed = (f"# recipe.{name}: {value}\n" for name, value in record.candidate.recipe.items())
    if record.reason:
        found += f"\n# {record.reason}"
    return f"{found} (trial {record.number}).\n{''.join(changed)}{dump(record.candidate.network)}"
