"""The kinds of YAML files there are, told by their fields, so that one can be said to be another.

What the fields mean is known where the documents are.
"""

from typing import Any, NamedTuple


class DocumentKind(NamedTuple):
    """What a file is called, the fields that tell it, and who reads it."""

    what: str
    fields: frozenset[str]
    read_by: str


SPEC = "gridgen count, render, build, train and others read it"
KINDS = {
    "study": DocumentKind(
        "a study", frozenset({"data", "space"}), "gridgen feasible and search read it"
    ),
    "spec": DocumentKind("a network spec", frozenset({"streams", "columns"}), SPEC),
    "recipe": DocumentKind(
        "a recipe",
        frozenset({"epochs", "learning_rate"}),
        "gridgen train --recipe and studies read it",
    ),
    "inference": DocumentKind(
        "an inference",
        frozenset({"scales", "flip"}),
        "gridgen evaluate and predict --inference read it",
    ),
    "calibration": DocumentKind(
        "a calibrated device",
        frozenset({"machine", "constants", "samples"}),
        "gridgen count --device reads it",
    ),
}
PUBLISHED = DocumentKind("a network spec", frozenset({"architecture"}), SPEC)
EXTENDED = KINDS["recipe"]._replace(fields=frozenset({"extends"}))


def kind_of(data: Any) -> str | None:
    """The kind of YAML file that has the fields of `data`; None where nobody knows.

    >>> kind_of({"data": "shapes", "space": {}, "recipe": "demo"})
    'study'
    """
    return _known(data)[0]


def _known(data: Any) -> tuple[str | None, DocumentKind | None]:
    """The kind of file that `data` is, and what is known of that kind."""
    known = (*KINDS.items(), ("spec", PUBLISHED), ("recipe", EXTENDED))
    fields = data.keys() if isinstance(data, dict) else set()
    return next(((name, each) for name, each in known if fields >= each.fields), (None, None))


def other_kind(kind: str, data: Any) -> str | None:
    """In a sentence what a file of `data` is, where that is not `kind`; None where nobody knows.

    >>> other_kind("study", {"streams": 5, "columns": "3+3", "classes": 2})
    'this is a network spec; gridgen count, render, build, train and others read it'
    >>> other_kind("spec", {"streams": 5, "columns": "3+3"}) is None
    True
    """
    name, known = _known(data)
    if kind not in KINDS or known is None or name == kind:
        return None
    return f"this is {known.what}; {known.read_by}"
