"""Counting the rows of a table as trained, so that a search goes on from another machine's."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from gridgen.errors import SpecError
from gridgen.space import Range
from gridgen.space.choices import ChoiceLabel, Params, value_text
from gridgen.study.candidates.counting import counted
from gridgen.study.driver.conductor import Conductor
from gridgen.study.driver.phases import Listed, PlannedTrial
from gridgen.study.language.dimensions import Dimension
from gridgen.study.language.objectives import further_scores
from gridgen.study.language.study import Study
from gridgen.study.proposals.distributions import holds
from gridgen.study.store.tables import KnownRow
from gridgen.study.trials import Candidate, Training


def take_up_known(conductor: Conductor, path: Path, rows: Sequence[KnownRow]) -> None:
    """Enter the searched trials of a table, and remember all its trainings, whosever they are.

    What is none of the study's candidates is left out, which is told. Errors: `SpecError` where the
    study asks for scores that a table does not have.
    """
    if further := further_scores(conductor.study.against):
        fact = f"{path} has scores by {conductor.study.objective} alone"
        error = SpecError(f"{fact}; leave the table out, or this", ("against", further[0]))
        raise conductor.study.blame(error)
    for row in rows:
        scored = row.scores.items()
        trainings = [Training(seed, "finished", score=score) for seed, score in scored]
        conductor.remember(row.key, trainings)
    searched = [row for row in rows if row.role == "searched"]
    known = {record.candidate.key for record in conductor.listed if record.role == "searched"}
    found = {row.key: _candidate(conductor.study, row) for row in searched}
    ours = [each for each in found.values() if each is not None]
    if len(ours) < len(found):
        fact = f"{len(found) - len(ours)} of {len(found)} candidates are none of this study"
        conductor.watch.noted(f"{path}: {fact}, and are left out")
    asked = (
        PlannedTrial(each, "searched", conductor.study.seeds, known=path.name)
        for each in ours
        if each.key not in known
    )
    conductor.conduct(Listed(f"known from {path.name}", deque(asked)))


def _candidate(study: Study, row: KnownRow) -> Candidate | None:
    """The candidate of a row; None where the study has no such, or trains it in another way."""
    params = _params(study, row)
    if params is None:
        return None
    try:
        found = counted(study, params)
    except SpecError:
        return None
    return found.candidate if found.candidate.key == row.key and not found.refusal else None


def _params(study: Study, row: KnownRow) -> Params | None:
    named = study.dimensions.named
    own = {name: text for name, text in row.fields.items() if name in named}
    read = {name: _label(named[name], text) for name, text in own.items()}
    found = {name: labels[0] for name, labels in read.items() if labels}
    return study.dimensions.active(found) if len(found) == len(read) else None


def _label(dimension: Dimension, text: str) -> Sequence[ChoiceLabel]:
    """The label that is written so, if there is one."""
    if not isinstance(dimension.choices, Range):
        return [label for label in dimension.choices if value_text(label) == text][:1]
    try:
        value = int(text) if dimension.choices.whole else float(text)
    except ValueError:
        return []
    return [value] if holds(dimension, value) else []
