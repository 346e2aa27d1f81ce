"""Repairing a study: what is whole goes into a fresh database, the rest is looked for in the run
folders of its trials.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.distributions import json_to_distribution

from gridgen.arguments import PathLike, checked
from gridgen.errors import GridgenError, RunError
from gridgen.files import flush_folder, is_file, is_folder, read_text, write_file
from gridgen.study.language.objectives import LATENCY
from gridgen.study.language.study import Study
from gridgen.study.store.attributes import (
    CANDIDATE,
    END,
    TRAINING,
    Attributes,
    Damaged,
    read_candidate,
    read_training,
    unsealed,
)
from gridgen.study.store.identity import Identity
from gridgen.study.store.opening import read_store
from gridgen.study.store.recovering import FoundRun, candidate_of_runs, missing_trainings
from gridgen.study.store.storages import (
    KINDS,
    STUDY_KEY,
    StorageKind,
    create,
    locked_study,
    numbered_folders,
    read_storage,
)
from gridgen.study.store.store import Store
from gridgen.study.trials import Training, TrialRecord
from gridgen.training.run.folder import STUDY, TRIALS

Salvaged = dict[int, dict[str, Attributes]]


@dataclass
class Repaired:
    """What a repair came to: `notes` say which trials are not as they were, and why.

    `damaged` is the file that was replaced; None where there was nothing to repair.
    """

    folder: Path
    whole: int = 0
    notes: list[str] = field(default_factory=list)
    damaged: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        damaged = None if self.damaged is None else str(self.damaged)
        return {"whole": self.whole, "notes": self.notes, "damaged": damaged}


@checked
def repair_study(folder: PathLike) -> Repaired:
    """Make a damaged study one that can be searched in again; the old file is kept beside.

    Trials whose record is whole stay as they are. Of others the trainings are taken from their run
    folders, where those are complete and of the same network, recipe and seed. A trial of which
    trainings are missing runs again when the search goes on. Errors: `RunError` where nothing says
    which study it was, or another process is at work.
    """
    folder = Path(folder)
    if not is_folder(folder):
        raise RunError(f"{folder}: no such folder")
    with locked_study(folder):
        if (fine := _fine(folder)) is not None:
            return fine
        return _repair(folder)


@checked
def retry_study(folder: PathLike) -> list[TrialRecord]:
    """Have all failed trials of a study run again when its search goes on; returns them.

    Errors: `RunError`, as for `read_store`, or where another process is at work.
    """
    folder = Path(folder)
    read_store(folder).close()  # before a lock is left where no study is
    with locked_study(folder), closing(read_store(folder)) as store:
        store.hold()
        return store.retry()


def _fine(folder: Path) -> Repaired | None:
    """What to say of a study that is whole, its file written again; None of one that is not."""
    try:
        with closing(read_store(folder)) as store:
            if not is_file(folder / STUDY) or not _is_study(folder / STUDY):
                write_file(folder / STUDY, store.text)
                return Repaired(folder, len(store.trials()), [f"{STUDY} is written again"])
            return Repaired(folder, len(store.trials()))
    except RunError:
        return None


def _is_study(path: Path) -> bool:
    try:
        Study.load(path)
    except GridgenError:
        return False
    return True


def _repair(folder: Path) -> Repaired:
    kind, source = _source(folder)
    salvaged = _salvaged(kind, source)
    noted = _noted(folder, salvaged)
    study = Study.parse(noted["text"], str(folder / STUDY))
    told = Repaired(folder)
    temporary = folder / f".{kind.file}.{os.getpid()}"
    # One that lies elsewhere gets a fresh study there, and the old one stays.
    create(temporary, kind, noted, "" if source is None else kind.address(source))
    with closing(Store(folder, kind, read_storage(kind, temporary))) as store:
        last = max([*salvaged, *numbered_folders(folder)], default=-1)
        for number in range(last + 1):
            parts = salvaged.get(number, {})
            _Trial(study, store, noted["digests"], number, parts, told).restore()
    told.damaged = _replace(folder, kind, source, temporary)
    if not is_file(folder / STUDY) or not _is_study(folder / STUDY):
        write_file(folder / STUDY, noted["text"])
    return told


def _source(folder: Path) -> tuple[StorageKind, Path | None]:
    """What is to be repaired: the database, or what an earlier repair that was killed set aside."""
    for name in ("{}", "{}.damaged"):
        found = [each for each in KINDS.values() if is_file(folder / name.format(each.file))]
        if len(found) > 1:
            files = " and ".join(name.format(each.file) for each in found)
            raise RunError(f"{folder} holds {files}; move one away")
        if found:
            return found[0], folder / name.format(found[0].file)
    if not any(True for _ in numbered_folders(folder)):
        raise RunError(f"{folder}: no study there")
    return KINDS["sqlite"], None


def _salvaged(kind: StorageKind, source: Path | None) -> Salvaged:
    """Attributes whose checksum is right, by trial and name."""
    found: Salvaged = {}
    for value in kind.values(source) if source is not None else ():
        with suppress(Damaged):
            content = unsealed(value)
            found.setdefault(content["trial"], {})[content["attribute"]] = content
    return found


def _noted(folder: Path, salvaged: Salvaged) -> Attributes:
    """What the database said of its study, or else its file alone."""
    noted = salvaged.pop(-1, {}).get(STUDY_KEY)
    if noted is not None:
        return {name: noted[name] for name in ("text", "digests", "free")}
    if not is_file(folder / STUDY) or not _is_study(folder / STUDY):
        fact = f"{folder}: neither its database nor {STUDY} tells which study it was"
        raise RunError(f"{fact}; put {STUDY} back")
    text = read_text(folder / STUDY)
    Identity(text, {})
    return {"text": text, "digests": {}, "free": []}


@dataclass
class _Trial:
    """One trial on its way into the fresh store."""

    study: Study
    store: Store
    digests: Mapping[str, Any]
    number: int
    parts: Mapping[str, Attributes]
    told: Repaired

    def restore(self) -> None:
        """Write it as it was, or with what its run folders have, or as lost."""
        content = self.parts.get(CANDIDATE)
        if content is not None:
            with suppress(Damaged):
                self._as_it_was(content)
                return
        found = candidate_of_runs(self.study, self.number, self._folder, self.digests)
        # What was measured stood in the record alone.
        measured = LATENCY in self.study.against
        if found is None or measured:
            self.store.lost("its record was damaged")
            self._note("its record is lost; its candidate is trained anew should it come up")
            return
        self._from_runs(found)

    def _as_it_was(self, content: Attributes) -> None:
        candidate = read_candidate(content)
        trainings = [read_training(each) for each in self._trainings()]
        distributions = {
            name: json_to_distribution(text) for name, (_, text) in content["asked"].items()
        }
        params = {
            name: distributions[name].to_external_repr(value)
            for name, (value, _) in content["asked"].items()
        }
        self.store.begin(
            candidate,
            content["role"],
            distributions,
            params,
            of=content["of"],
            known=content["known"],
            attributes=content["attributes"],
        )
        known = {each.seed for each in trainings}
        taken = missing_trainings(self.study, candidate, self._folder, self.digests, known)
        # A training of a trial that still ran is found again by the search itself.
        taken = taken if END in self.parts else []
        self._write([*trainings, *taken])
        self._end(len(trainings), taken)

    def _end(self, whole: int, taken: list[Training]) -> None:
        """End it as it was ended, if all its trainings are there."""
        end = self.parts.get(END)
        if end is not None and end["trainings"] == whole + len(taken):
            self.store.finish(self.number, end["state"], end["reason"])
        elif end is not None or taken:
            self._note("trainings are missing; it goes on with the search")
        if taken:
            seeds = ", ".join(str(each.seed) for each in taken)
            self._note(f"the score of seed {seeds} is taken from its run folder")
        elif end is None or end["trainings"] == whole:
            self.told.whole += 1

    def _from_runs(self, found: FoundRun) -> None:
        self.store.begin(found.candidate, "searched", {}, {})
        self._write(found.trainings)
        seeds = {each.seed for each in found.trainings}
        if seeds == set(self.study.seeds):
            self.store.finish(self.number, "finished")
        self._note("its record is lost; network and scores are taken from its run folders")

    def _write(self, trainings: list[Training]) -> None:
        first = self.study.seeds[0]
        for epoch, score in next((each.curve for each in trainings if each.seed == first), ()):
            self.store.report(self.number, epoch, score)
        for training in trainings:
            self.store.trained(self.number, training)

    def _trainings(self) -> Iterator[Attributes]:
        names = [name for name in self.parts if name.startswith(TRAINING)]
        yield from (self.parts[name] for name in sorted(names, key=lambda n: int(n.split()[1])))

    @property
    def _folder(self) -> Path:
        return self.store.folder / TRIALS / f"{self.number:05d}"

    def _note(self, fact: str) -> None:
        self.told.notes.append(f"trial {self.number}: {fact}")


def _replace(folder: Path, kind: StorageKind, source: Path | None, temporary: Path) -> Path | None:
    """Put the fresh database in place of the damaged one, which is kept."""
    path, kept = folder / kind.file, source
    if source == path:
        kept = folder / f"{kind.file}.damaged"
        number = 1
        while kept.exists():
            number += 1
            kept = folder / f"{kind.file}.damaged.{number}"
        os.replace(path, kept)
    # It belongs to the old database, and SQLite would play it back into the fresh one.
    (folder / f"{kind.file}-journal").unlink(missing_ok=True)
    os.replace(temporary, path)
    flush_folder(folder)
    return kept
