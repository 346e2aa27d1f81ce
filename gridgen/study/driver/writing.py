"""Writing the answer of a search, whenever it ends: the best spec, the tables, the report."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from gridgen.files import write_file
from gridgen.study.language.study import Study
from gridgen.study.report.answer import of_role, ranked
from gridgen.study.report.asked import Asked
from gridgen.study.report.page import write_page
from gridgen.study.report.result import Result
from gridgen.study.store.tables import trainings_table, trials_table
from gridgen.study.trials import TrialRecord
from gridgen.training.run.folder import dump

NONE: Mapping[str, int] = MappingProxyType({})
BEST, TRIALS, TRAININGS = "best.yaml", "trials.csv", "trainings.csv"


def asked_of(
    study: Study, folder: Path, refused: Mapping[str, int] = NONE, stopped: str = ""
) -> Asked:
    """What the report says of the question."""
    place = shlex.quote(str(folder))
    weights = f"gridgen study {place} best --weights best.safetensors"
    return Asked(
        title=folder.name,
        objective=study.objective,
        data=study.data,
        limits=dict(study.limits.limits()),
        seeds=study.seeds,
        about=(
            ("sampler", study.sampler),
            ("pruner", study.pruner),
            *((("match", _matched(study)),) if study.match is not None else ()),
        ),
        stopped=stopped,
        commands=(
            ("go on", f"gridgen search {place}/study.yaml -o {place}"),
            ("weights of the best", weights),
        ),
        refused=dict(refused),
    )


def _matched(study: Study) -> str:
    assert study.match is not None
    return f"{study.match.quantity} {study.match.wanted:,}, within {study.match.within:.0%}"


def write_answer(folder: Path, asked: Asked, records: Sequence[TrialRecord]) -> Result:
    """Write what is known so far into the folder of a search."""
    result = Result(folder, asked, tuple(records))
    write_file(folder / TRIALS, trials_table(records))
    write_file(folder / TRAININGS, trainings_table(records))
    best = ranked(of_role(records, "searched"))
    if best:
        write_file(folder / BEST, _best(asked, best[0]))
    write_page(result)
    return result


def _best(asked: Asked, record: TrialRecord) -> str:
    parameters = record.candidate.costs["parameters"]
    found = f"# {asked.objective} {record.score:.4f} on {asked.data}, {parameters:,} parameters"
    changed = (f"# recipe.{name}: {value}\n" for name, value in record.candidate.recipe.items())
    return f"{found} (trial {record.number}).\n{''.join(changed)}{dump(record.candidate.network)}"
