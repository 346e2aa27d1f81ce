"""Arguments of public functions: wrong types and names are refused in one line, before all else.

A parameter's annotation says what it takes; `Annotated[..., "a size such as (360, 480)"]` says it
in words.
"""

import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache, wraps
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, cast, get_args, get_origin

from gridgen.errors import UsageError, unknown

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

PathLike = Annotated[str | os.PathLike[str], "a path"]

WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    Path: "a path",
    NoneType: "None",
}
LONGEST = 60
"""Characters of a value in a message."""
FEW = 5
"""Names that a message lists of what a value lacks."""


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, which refuses arguments that do not fit its annotations with a `UsageError`.

    Types are checked down to the items of lists and dictionaries; annotations that are text are
    not checked.

    >>> @checked
    ... def repeat(word: str, times: int = 2) -> str:
    ...     return word * times
    >>> repeat("ab")
    'abab'
    >>> repeat("ab", times=2.5)
    Traceback (most recent call last):
    gridgen.errors.UsageError: repeat: times is 2.5 (float); give a whole number
    >>> repeat("ab", time=3)
    Traceback (most recent call last):
    gridgen.errors.UsageError: repeat: unknown argument 'time'; did you mean 'times'?
    """
    signature = inspect.signature(function)
    wanted = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD and _is_checkable(parameter.annotation)
    ]

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            bound = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise UsageError(
                f"{_name(function, args)}: {_misfit(signature, kwargs, error)}"
            ) from None
        for parameter in wanted:
            for name, value in _given(parameter, bound):
                if not fits(value, parameter.annotation):
                    fact = _refusal(*_at_fault(name, value, parameter.annotation))
                    raise UsageError(f"{_name(function, args)}: {fact}")
        return function(*args, **kwargs)

    return called


def checked_fields(made: type[T]) -> type[T]:
    """A dataclass whose constructor refuses what does not fit its fields, as `checked` does."""
    make: Callable[..., None] = made.__init__
    refuse = checked(make)
    kinds_of: Any = {each.name: each.type for each in fields(cast(Any, made))}
    fitting = _compiled(kinds_of)

    @wraps(make)
    def init(self: T, *args: Any, **kwargs: Any) -> None:
        # Layers are made by hundreds, and to bind arguments to names takes ten times as long.
        try:
            make(self, *args, **kwargs)
        except (TypeError, AttributeError):
            refuse(self, *args, **kwargs)
        if not fitting(self):
            refuse(self, *args, **kwargs)

    made.__init__ = init  # type: ignore[assignment, method-assign]
    return made


def _compiled(kinds_of: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Whether the fields of an object fit, as one expression, which is what dataclasses do too.

    A loop over names would take twice as long as the constructor itself.
    """
    known: dict[str, Any] = {"fits": fits}
    terms = []
    for name, annotation in kinds_of.items():
        known[f"{name}_kinds"], known[f"{name}_wanted"] = exact(annotation), annotation
        quick = f"type(self.{name}) in {name}_kinds or " if exact(annotation) else ""
        terms.append(f"({quick}fits(self.{name}, {name}_wanted))")
    return cast(Callable[[Any], bool], eval(f"lambda self: {' and '.join(terms) or True}", known))


def fits(value: Any, annotation: Any) -> bool:
    """Whether `value` is what an annotation says; text is no sequence.

    >>> fits((1, 2), Sequence[int]), fits("12", Sequence[str]), fits(True, int)
    (True, False, False)
    """
    if type(value) in exact(annotation):
        return True
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation in (Any, inspect.Parameter.empty) or isinstance(annotation, str | TypeVar):
        return True
    if origin is Annotated:
        return fits(value, inside[0])
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in inside)
    if origin is Literal:
        return any(
            value is each or (type(value) is type(each) and value == each) for each in inside
        )
    if annotation in (int, float):
        kind = Integral if annotation is int else Real
        return isinstance(value, kind) and not isinstance(value, bool)
    if annotation is None:
        return value is None
    if origin in (Sequence, Iterable, tuple, list):
        if isinstance(value, str | bytes) or not isinstance(value, origin):
            return False
        if _is_fixed(annotation):
            return len(value) == len(inside) and all(map(fits, value, inside))
        return not isinstance(value, Sequence) or all(fits(item, inside[0]) for item in value)
    if _is_mapping(annotation):
        key, item = inside
        return isinstance(value, origin) and all(
            fits(each, key) and fits(value[each], item) for each in value
        )
    return isinstance(value, origin or annotation)


@cache
def exact(annotation: Any) -> frozenset[type]:
    """Types whose instances all fit an annotation, whatever they hold; subclasses left out.

    >>> exact(Path | None) == {Path, NoneType}, exact(Sequence[int])
    (True, frozenset())
    """
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return exact(inside[0])
    if origin in (Union, UnionType):
        return frozenset().union(*map(exact, inside))
    if annotation is float:
        return frozenset({float, int})
    found = isinstance(annotation, type) and origin is None
    return frozenset({annotation}) if found else frozenset()


def described(annotation: Any) -> str:
    """What an annotation takes, in words.

    >>> described(int | None), described(Sequence[str | Path]), described(Literal["fp32", "bf16"])
    ('a whole number or None', 'a list of text or a path', 'fp32 or bf16')
    """
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        said = [each for each in inside[1:] if isinstance(each, str)]
        return said[-1] if said else described(inside[0])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(described, inside)))
    if origin is Literal:
        return " or ".join(map(str, inside))
    if origin is not None and issubclass(origin, Callable):  # type: ignore[arg-type]
        return "a function"
    if _is_mapping(annotation):
        return "a dictionary"
    if _is_fixed(annotation):
        return f"a tuple ({', '.join(map(described, inside))})"
    if origin in (Sequence, Iterable, tuple, list):
        return f"a list of {described(inside[0])}"
    kind = NoneType if annotation is None else annotation
    article = "an" if kind.__name__[:1] in "AEIOU" else "a"
    return WORDS.get(kind) or f"{article} {kind.__name__}"


def _name(function: Callable[..., Any], arguments: Sequence[Any]) -> str:
    """What the caller wrote: of a method the class, be it one that inherits it."""
    called = function.__name__
    first = next(iter(inspect.signature(function).parameters), None)
    if first not in ("self", "cls") or not arguments:
        return called
    owner = (arguments[0] if isinstance(arguments[0], type) else type(arguments[0])).__name__
    return owner if called in ("__init__", "__call__") else f"{owner}.{called}"


def _is_mapping(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_fixed(annotation: Any) -> bool:
    """Whether it is a tuple with a type for each item."""
    return get_origin(annotation) is tuple and Ellipsis not in get_args(annotation)


def _given(parameter: inspect.Parameter, bound: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Name and value of what is bound to a parameter, if anything is; of `*names` all of them."""
    name = parameter.name
    if name not in bound:
        return []
    if parameter.kind is parameter.VAR_POSITIONAL:
        return [(f"{name}[{index}]", value) for index, value in enumerate(bound[name])]
    return [(name, bound[name])]


def _is_checkable(annotation: Any) -> bool:
    """Protocols without `runtime_checkable` answer no `isinstance`."""
    protocol = getattr(annotation, "_is_protocol", False)
    return not protocol or getattr(annotation, "_is_runtime_protocol", False)


def _at_fault(name: str, value: Any, annotation: Any) -> tuple[str, Any, Any]:
    """What does not fit, and what is wanted there: of a dictionary a key or a value."""
    inside = get_args(annotation)
    several = get_origin(annotation) in (Union, UnionType)
    mapping = next(filter(_is_mapping, inside if several else [annotation]), None)
    if mapping is not None and isinstance(value, Mapping):
        key, item = get_args(mapping)
        for each in value:
            if not fits(each, key):
                return f"a key of {name}", each, key
            if not fits(value[each], item):
                return _at_fault(f"{name}[{each!r}]", value[each], item)
    return name, value, annotation


def _refusal(parameter: str, value: Any, annotation: Any) -> str:
    if isinstance(value, str) and get_origin(annotation) is Literal:
        return unknown(parameter, value, map(str, get_args(annotation)))
    shown = " ".join(repr(value).split())
    shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}..."
    kind = "" if value is None else f" ({type(value).__name__})"
    return (
        f"{parameter} is {shown}{kind}{_lacking(value, annotation)}; give {described(annotation)}"
    )


def _lacking(value: Any, annotation: Any) -> str:
    """What `value` lacks of a protocol, where that is little."""
    if not getattr(annotation, "_is_protocol", False):
        return ""
    members = {name for name in dir(annotation) if not name.startswith("_")}
    missing = [name for name in members | {*annotation.__annotations__} if not hasattr(value, name)]
    return f" without {', '.join(sorted(missing))}" if 0 < len(missing) <= FEW else ""


def _misfit(signature: inspect.Signature, given: Mapping[str, Any], error: TypeError) -> str:
    """Why arguments cannot be bound to the parameters."""
    parameters = signature.parameters
    for name in given:
        if name not in parameters:
            return unknown("argument", name, [each for each in parameters if each != "self"])
    told = [_brief(each) for each in parameters.values()]
    named = [each.kind == each.KEYWORD_ONLY for each in parameters.values()]
    if any(named):
        told.insert(named.index(True), "*")
    return f"{error}; it takes ({', '.join(told)})"


def _brief(parameter: inspect.Parameter) -> str:
    required = parameter.default is parameter.empty
    shown = "..." if callable(parameter.default) else repr(parameter.default)
    return parameter.name if required else f"{parameter.name}={shown}"
