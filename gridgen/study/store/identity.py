"""What makes a study this study and no other: the settings that decide what it finds, its data."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gridgen.arguments import checked_fields
from gridgen.errors import GridgenError, RunError
from gridgen.files import is_file
from gridgen.spec import Source
from gridgen.spec.facts import shown_value
from gridgen.study.trials import Objectives, objectives_of
from gridgen.training.run.folder import STUDY

MOST = 3
"""Settings that a message shows."""


@checked_fields
@dataclass(frozen=True)
class Identity:
    """A study as it is held against the one in a folder.

    `text` is its file, whose fields may not change from one start to the next but for those that
    are `free`. `digests` tell of all else that decides its scores, by what it is, such as the data.
    """

    text: str
    digests: Mapping[str, Any]
    free: Collection[str] = ()

    @cached_property
    def fields(self) -> dict[str, Any]:
        """All fields of the study, as JSON types."""
        return _plain(Source.parse(self.text, STUDY).data)

    @property
    def objectives(self) -> Objectives:
        """The study's objective, which is maximized, and what it is held against."""
        return objectives_of(self.fields.get("objective", ""), self.fields.get("against") or {})

    def require(
        self, folder: Path, kept: Mapping[str, Any], digests: Mapping[str, Any] | None = None
    ) -> None:
        """Refuse what a folder keeps, should it be of another study. Errors: `RunError`."""
        told = differences(kept, self.fields, self.free)
        fix = "name another folder with -o"
        if told:
            raise RunError(f"{folder} holds a search with other settings: {told}; {fix}")
        for name, digest in (digests or {}).items():
            if self.digests.get(name, digest) != digest:
                what = name.replace("_", " ")
                fact = f"{folder} holds a search with other {what} than this study's now"
                raise RunError(f"{fact}; put them back, or {fix}")

    def require_file(self, folder: Path) -> None:
        """Refuse the study.yaml of another study. Errors: `RunError`."""
        if is_file(folder / STUDY):
            self.require(folder, _read(folder))


def differences(kept: Mapping[str, Any], given: Mapping[str, Any], free: Collection[str]) -> str:
    """Which fields differ, and how; "" for none.

    >>> differences({"seed": 0, "data": "a", "trials": 2}, {"seed": 1, "data": "a"}, ["trials"])
    'seed is 0 there, 1 here'
    >>> differences({"latency": {"batch": 1}}, {"latency": {"batch": 1, "at_most": 2}}, [])
    'latency.at_most is not set there, 2 here'
    """
    # What a section says is compared field by field, where both have it.
    both = {name for name in kept if isinstance(kept[name], dict) and name != "against"}
    both = {name for name in both if isinstance(given.get(name), dict)}
    kept, given = _flat(kept, both), _flat(given, both)
    names = [name for name in {**kept, **given} if not {name, name.partition(".")[0]} & {*free}]
    other = [name for name in names if _said(kept, name) != _said(given, name)]
    told = [
        f"{name} is {_shown(kept.get(name))} there, {_shown(given.get(name))} here"
        for name in other[:MOST]
    ]
    more = [f"and {len(other) - MOST} more"] if len(other) > MOST else []
    return "; ".join([*told, *more])


def _flat(fields: Mapping[str, Any], sections: Collection[str]) -> dict[str, Any]:
    """The fields, and in place of sections their own."""
    found = dict[str, Any]()
    for name, value in fields.items():
        if name in sections:
            found |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            found[name] = value
    return found


def _said(fields: Mapping[str, Any], name: str) -> Any:
    """The value of a field; an empty section says no more than one that older files lack.

    The values of trials are stored in the order of `against`, which is therefore a part of it.
    """
    value = fields.get(name)
    if not value and isinstance(value, dict | None):
        return None
    return [*value.items()] if name == "against" and isinstance(value, dict) else value


def _read(folder: Path) -> Mapping[str, Any]:
    path = folder / STUDY
    try:
        data = Source.read(path).data
        if not isinstance(data, dict):
            raise RunError(f"{path}: no study")
        return _plain(data)
    except (GridgenError, TypeError, ValueError) as error:
        fix = f"gridgen study {folder} repair writes it again"
        raise RunError(f"{path}: damaged; {fix}") from error


def _plain(data: Any) -> dict[str, Any]:
    return dict(json.loads(json.dumps(data)))


def _shown(value: Any) -> str:
    return "not set" if value is None else shown_value(value)
