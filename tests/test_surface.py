"""Whatever gridgen exports says which of its arguments it does not take, and what it wants instead.

Held against every exported function, the constructors of every exported class, and their methods;
an export is tested by being there.
"""

import inspect
from pathlib import Path
from types import FunctionType, UnionType
from typing import Annotated, get_args, get_origin
from unittest.mock import Mock

import pytest
from layer_tables import table
from pydantic import BaseModel

import gridgen
from gridgen import GridgenError, GridSpec
from gridgen.arguments import fits
from gridgen.grid import layers
from gridgen.grid.layers.record import Record
from gridgen.spec import Document

FIELDS = {"streams": 2, "columns": "1+1", "base_channels": 4, "classes": 3}
SPEC = GridSpec(**FIELDS)
EXPORTS = {name: getattr(gridgen, name) for name in gridgen.__all__}
RECORDS = [each for each in vars(layers).values() if inspect.isclass(each)]
RECORDS = [each for each in RECORDS if issubclass(each, Record) and each is not Record]
DOCUMENTS = {
    "Budget": {},
    "LatencySetting": {"size": "32x32"},
    "LayerTimes": table().complete(),
    "Match": {"parameters": 1000},
    "CustomTopology": {"keep": ["sub_1_0"]},
    "DraftSpec": {"classes": 3},
    "GridSpec": FIELDS,
    "Inference": {},
    "Recipe": gridgen.load_recipe("demo").complete(),
    "Setting": {},
    "Study": {"data": "shapes", "recipe": "demo", "spec": FIELDS, "space": {"streams": [2]}},
}
"""Fields with which each can be made."""
UNCHECKED = {"Connection", "FeatureMap", "Grid", "GridgenError"}
"""Passes make and read them, and checks would slow those down; `Draft` checks what it takes."""
IN_ITS_OWN_WORDS = {"GridNetwork.forward"}
"""It says what is no batch of images."""
NAMES = {"load_spec": "frrn-a", "load_recipe": "demo"}
"""What is loaded where all other keywords are fields of it."""


class Nonsense:
    """Of no type that anything takes."""


def fitting(annotation):
    """A value that fits an annotation."""
    plain = ("text", 1, 0.5, True, None, (), (1, 1), {}, SPEC, Path("x"), len)
    if get_origin(annotation) is Annotated:
        return fitting(get_args(annotation)[0])
    if isinstance(annotation, UnionType) and not any(fits(value, annotation) for value in plain):
        return fitting(get_args(annotation)[0])
    found = [value for value in plain if fits(value, annotation)]
    return found[0] if found else Mock(spec=get_origin(annotation) or annotation)


def methods(kind):
    """Public methods of its own that take arguments, by name, without `self` or `cls`."""
    for name, member in list(vars(kind).items()):
        function = getattr(member, "__func__", member)
        inherited = name.startswith("_") or hasattr(BaseModel, name)
        if inherited or not isinstance(function, FunctionType):
            continue
        if len(inspect.signature(function).parameters) > 1:
            bound = getattr(kind, name) if inspect.ismethod(getattr(kind, name)) else None
            yield name, bound or function.__get__(Mock(spec=kind))


def callables():
    """Name and callable of all that can be called."""
    for name, export in EXPORTS.items():
        if not isinstance(export, type):
            yield name, export
            continue
        if name in UNCHECKED:
            continue
        if name not in DOCUMENTS:
            yield name, export
        yield from ((f"{name}.{method}", bound) for method, bound in methods(export))
    yield from ((kind.__name__, kind) for kind in RECORDS)


CALLABLES = {name: it for name, it in callables() if name not in IN_ITS_OWN_WORDS}
PARAMETERS = [
    (name, parameter)
    for name, function in CALLABLES.items()
    for parameter in inspect.signature(function).parameters.values()
    if not fits(Nonsense(), parameter.annotation)
    and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
]


@pytest.mark.parametrize("name", CALLABLES)
def test_an_unknown_argument_is_named(name):
    given = {"name": NAMES[name]} if name in NAMES else {}
    with pytest.raises(GridgenError, match=r"unknown [a-z]+ 'nonsense_argument'"):
        CALLABLES[name](**given, nonsense_argument=1)


@pytest.mark.parametrize(
    ("name", "wrong"), PARAMETERS, ids=lambda each: getattr(each, "name", each)
)
def test_an_argument_of_a_wrong_type_is_named_with_what_is_wanted(name, wrong):
    given = {
        each.name: fitting(each.annotation)
        for each in inspect.signature(CALLABLES[name]).parameters.values()
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD
    }
    with pytest.raises(GridgenError) as caught:
        CALLABLES[name](**given | {wrong.name: Nonsense()})
    assert f"{wrong.name} is <" in str(caught.value)
    assert "; give " in str(caught.value)


def test_the_documents_are_all_that_are_exported():
    classes = {name: it for name, it in EXPORTS.items() if inspect.isclass(it)}
    assert {name for name, it in classes.items() if issubclass(it, Document)} == set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_unknown_field_is_named(name):
    EXPORTS[name](**DOCUMENTS[name])
    with pytest.raises(GridgenError, match="unknown field 'nonsense_argument'"):
        EXPORTS[name](**DOCUMENTS[name], nonsense_argument=1)


@pytest.mark.parametrize(
    ("name", "field"),
    [(name, field) for name in DOCUMENTS for field in EXPORTS[name].model_fields],
)
def test_a_field_of_a_wrong_type_is_named(name, field):
    with pytest.raises(GridgenError, match=rf"\b{field}\b"):
        EXPORTS[name](**DOCUMENTS[name] | {field: Nonsense()})
