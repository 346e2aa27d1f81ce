"""`gridgen feasible`: which candidates of a study meet its budget."""

import shlex
from collections.abc import Iterator
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.cli.budget import Limits, budgeted
from gridgen.cli.tables import WIDTH
from gridgen.cli.terminal import (
    AsJson,
    print_json,
    print_wrapped_rows,
    progress,
)
from gridgen.errors import RenderError, SpecError
from gridgen.files import ends_in
from gridgen.project.shipped import shipped
from gridgen.spec.network import settings
from gridgen.text import bytes_text, macs_text

if TYPE_CHECKING:
    from gridgen.space import Feasible
    from gridgen.study import Study
    from gridgen.study.candidates.branches import Branch

MOST_REASONS = 5
"""Reasons why there is no grid that are printed."""
BASE = "specs/gridnet.yaml"
"""The spec over which listed ones are told."""
PHASES = {"training_memory": "to train", "inference_memory": "to predict"}
LabelledRows = Iterator[tuple[str, str]]


def feasible(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="YAML file of the study.")],
    budget: Limits = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Picture: .png.")
    ] = None,
    listed: Annotated[
        int, typer.Option("--list", metavar="N", min=0, help="Print N feasible specs as settings.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Count the candidates of a study that meet its budget, and draw them. Trains nothing."""
    if output is not None and not ends_in(output, ".png"):
        raise RenderError(f"{output}: the picture of a feasible set is a .png; name such a file")
    limited = budgeted(study, budget)
    parts = _parts(limited)
    if output is not None and len(parts) > 1:
        fact = f"the space has {len(parts)} parts, and a picture is of one"
        raise RenderError(f"{output}: {fact}; leave out -o, or the conditions")
    tables = _tables(limited, parts)
    if output is not None:
        from gridgen.figures.feasible_set import draw_feasible

        draw_feasible(next(iter(tables.values())), output, study.stem)
    if as_json:
        told = {title: _as_json(found, listed) for title, found in tables.items()}
        print_json(told.get("") or {"parts": told})
        return
    for title, found in tables.items():
        if title:
            print(f"# {title}")
        wrote = [("wrote", str(output))] if output is not None else []
        print_wrapped_rows([*_counts(found), *_topologies(found), *wrote])
        _print_listed(found, listed)


def _parts(study: "Study") -> tuple["Branch", ...]:
    """The parts of a study's space. Errors: `SpecError` where one is no table."""
    from gridgen.study.candidates.branches import branches

    parts = branches(study)
    if not all(part.tabled for part in parts):
        fact = "feasible counts grids whose fields vary; neither a match nor architectures"
        fix = "gridgen search --dry-run draws from any space"
        field = next(each for each in ("match", "specs", "space") if getattr(study, each))
        raise study.blame(SpecError(f"{fact}; {fix}", (field,)))
    return parts


def _tables(study: "Study", parts: tuple["Branch", ...]) -> dict[str, "Feasible"]:
    """The feasible set of each part of a study's space, by what tells it from the others."""
    found = {}
    for part in parts:
        try:
            with progress("memory") as on_progress:
                found[part.title] = part.feasible(on_progress)
        except SpecError as error:
            raise study.blame(error) from error
    return found


def _print_listed(found: "Feasible", listed: int) -> None:
    before = 0
    for point, network in _listed(found, listed):
        same = "; the same network as above" if network == before else ""
        print(f"# {_costs(found, point)}{same}")
        print("\n".join(_settings(found, point)))
        before = network


def _counts(found: "Feasible") -> LabelledRows:
    """How many specs there are, how many meet the budget, and what the others break."""
    from gridgen.space.quantities import QUANTITIES

    sizes = zip(found.specs.shape, found.specs.values, strict=True)
    yield "space", f"{found.points:,} specs: {' x '.join(f'{n} {name}' for n, name in sizes)}"
    yield from _invalid(found)
    valid, different = found.many(found.valid), found.different(found.valid)
    # Two specs may be one network, as two topologies are that keep the same connections.
    if different < valid:
        yield "networks", f"{different:,} different ones in {valid:,} specs"
    for name, value in found.budget.limits():
        quantity = QUANTITIES[name]
        # Memory is counted for a few grids only, those that every other limit allows.
        within = " of those within the others" if name in found.cell_costs else ""
        compared = "less" if quantity.least else "more"
        many = f"{found.broken[name]:,}{within} have {compared} than {quantity.write(value)}"
        yield name.replace("_", " "), many
    # Counts of single limits overlap, so their sum may exceed the specs that break any.
    if sum(found.broken.values()) > found.many(found.valid & ~found.within):
        yield "", "one spec may break several limits"
    networks = f", {_many(found.networks, 'different network')}" if found.feasible else ""
    share = f"({found.feasible / found.points:.1%})"
    yield "feasible", f"{_many(found.feasible, 'spec')} {share}{networks}"
    nearest = None if found.feasible else found.nearest()
    if nearest is not None:
        yield "nearest", str(nearest)


def _invalid(found: "Feasible") -> LabelledRows:
    """How many points make no grid, and the most frequent reasons."""
    reasons = found.invalid()
    if reasons:
        yield "invalid", f"{sum(reasons.values()):,} make no grid"
    for reason, many in list(reasons.items())[:MOST_REASONS]:
        yield "", f"{many:,}: {reason}"
    others = list(reasons.values())[MOST_REASONS:]
    if others:
        yield "", f"{sum(others):,} for {len(others)} more reasons"


def _topologies(found: "Feasible") -> LabelledRows:
    """The feasible specs of each topology, and the smallest and largest of them."""
    for name, ends in _ends(found):
        yield name, _many(found.many(found.of_topology(name)), "feasible spec")
        whats = ("smallest", "largest") if ends[0] != ends[1] else ("only",)
        for what, point in zip(whats, ends, strict=False):
            yield "", f"{what:<9} {_costs(found, point)}"
            yield "", f"{'':<9} {_varied(found, point)}"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _ends(found: "Feasible") -> Iterator[tuple[str, tuple[int, int]]]:
    """Each topology that has feasible specs, with those of fewest and most parameters."""
    for name in found.names():
        ends = found.ends(found.of_topology(name))
        if ends is not None:
            yield name, ends


def _costs(found: "Feasible", point: int) -> str:
    """Parameters, activations, and MACs and memory where they are limited."""
    from gridgen.space.quantities import QUANTITIES

    counts = {name: int(found.at(name, point)) for name in ("parameters", "activations")}
    shown = [QUANTITIES[name].show(cost) for name, cost in counts.items()]
    shown += [macs_text(int(found.at("macs", point)))] * (found.budget.macs is not None)
    memory = [f"{bytes_text(m)} {PHASES[name]}" for name, m in found.memory(point).items()]
    return ", ".join([*shown, *memory])


def _varied(found: "Feasible", point: int) -> str:
    """What a spec says of the fields that vary; a topology's name is said above."""
    named = isinstance(found.spec(point).topology, str | None)
    params = found.params(point).items()
    told = [f"{name} {_text(v)}" for name, v in params if not (named and name == "topology")]
    return ", ".join(told)


def _settings(found: "Feasible", point: int) -> Iterator[str]:
    """A spec as `--set` takes it over that of `BASE`: lines of a shell."""
    line, spec = "", found.spec(point)
    own = spec.complete()
    for name, value in ({name: own.get(name) for name in _of_base()} | settings(spec)).items():
        setting = f"--set {shlex.quote(f'{name}={_text(value)}')}"
        if len(line) + len(setting) > WIDTH - 3:
            yield f"{line} \\"
            line = " "
        line = f"{line} {setting}" if line else setting
    yield line


@cache
def _of_base() -> tuple[str, ...]:
    """The fields that the spec `BASE` gives, which another one has to replace."""
    from gridgen.architectures import load_spec

    return tuple(load_spec(shipped()[BASE]).plain())


def _text(value: Any) -> str:
    from gridgen.space.choices import value_text

    return value_text(value)


def _as_json(found: "Feasible", listed: int) -> dict[str, Any]:
    return {
        "points": found.points,
        "feasible": found.feasible,
        "networks": {"valid": found.different(found.valid), "feasible": found.networks},
        "invalid": found.invalid(),
        "budget": {"size": list(found.image), **found.budget.complete()},
        "broken": found.broken,
        "topologies": {
            name: {
                "feasible": found.many(found.of_topology(name)),
                "smallest": _point(found, ends[0]),
                "largest": _point(found, ends[1]),
            }
            for name, ends in _ends(found)
        },
        "listed": [{**_point(found, p), "network": n} for p, n in _listed(found, listed)],
    }


def _listed(found: "Feasible", many: int) -> Iterator[tuple[int, int]]:
    """Points, each with a number from 1 that is equal for the same network."""
    points = found.spread(many)
    changes = (not found.same_network(*pair) for pair in pairwise(points))
    yield from zip(points, accumulate(changes, initial=1), strict=False)


def _point(found: "Feasible", point: int) -> dict[str, Any]:
    counts = {name: int(found.at(name, point)) for name in found.counts}
    return {"spec": found.spec(point).plain(), **counts, **found.memory(point)}
