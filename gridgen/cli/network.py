"""The commands of one network: `gridgen render`, `gridgen build` and `gridgen lint`."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridgen.cli.terminal import (
    As,
    AsJson,
    Output,
    Settings,
    SpecName,
    To,
    describe,
    errors_beginning,
    grid_of,
    output_name,
    print_json,
    print_rows,
    size_of,
    split,
    wrapped,
)
from gridgen.errors import UsageError, WeightsError
from gridgen.files import ends_in
from gridgen.grid.layers import shape_text
from gridgen.text import brief

if TYPE_CHECKING:
    from gridgen.analysis.lints import Case, Finding

FOUND = 1


def render(
    spec: SpecName,
    topology: As = None,
    settings: Settings = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Picture: .svg, .png, .pdf, .dot or .gv.")
    ] = None,
    paths: Annotated[
        bool,
        typer.Option("--paths", help="How many of the paths each connection carries (figure 4)."),
    ] = False,
    size: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Write the size of each map for images of this size."),
    ] = None,
    shade: Annotated[
        str | None,
        typer.Option(
            metavar="QUANTITY",
            help="Fill maps by their cost: parameters, activations, macs, memory.",
        ),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The layers of a unit as blocks (figure 2): lateral, sub_1_2, stem, head ...",
        ),
    ] = None,
    overlay: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="Topologies over the full grid (figure 3): conv-deconv,unet,frrn."
        ),
    ] = None,
    title: Annotated[bool, typer.Option(help="With a title and facts above.")] = True,
) -> None:
    """Draw the grid: kept connections in colour, dropped ones as faint ghosts."""
    from gridgen.render import draw, draw_overlay, draw_paths, draw_unit
    from gridgen.render.overlay import whole

    kinds = {"paths": paths or None, "unit": unit, "overlay": overlay}
    _alone(kinds, {"size": size, "shade": shade})
    if overlay is not None and (topology or split(spec)[1] is not None):
        raise UsageError("--overlay is drawn over the full grid; leave out --as and @TOPOLOGY")
    grid = grid_of(spec, topology, settings)
    if overlay is not None:
        grid = whole(grid)
    if unit is not None:
        picture, kind = draw_unit(grid, unit, title=title), f"-{unit}"
    elif overlay is not None:
        names = [name.strip() for name in overlay.split(",")]
        with errors_beginning("--overlay: "):
            picture, kind = draw_overlay(grid, names, title=title), "-overlay"
    elif paths:
        picture, kind = draw_paths(grid, title=title), "-paths"
    else:
        picture, kind = draw(grid, size=size_of(size), shade=shade, title=title), ""
    name = output_name(spec, grid)
    written = picture.save(output or Path(f"{name}{kind}.svg"))
    print_rows([*describe(grid), ("wrote", str(written))])


def _alone(kinds: Mapping[str, object], additions: Mapping[str, object]) -> None:
    """Refuse two kinds of picture, and additions that another kind than the grid's lacks.

    Errors: `UsageError`.
    """
    named = [f"--{name}" for name, value in kinds.items() if value is not None]
    added = [f"--{name}" for name, value in additions.items() if value is not None]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} are different pictures; give one of them")
    if named and added:
        fact = f"{named[0]} shows neither sizes nor costs"
        raise UsageError(f"{fact}; leave out {' and '.join(added)}")


def build(
    spec: SpecName,
    topology: As = None,
    settings: Settings = None,
    output: Output = None,
    to: To = None,
) -> None:
    """Build the network: initialized weights with the spec inside, or its Python source."""
    grid = grid_of(spec, topology, settings)
    from gridgen.analysis.lints import Case, lint_case as find
    from gridgen.emit import GridNetwork, save_network
    from gridgen.export import EXPORTERS, export_network, exporter_of

    form = exporter_of(output, to, untrained=True)
    if not EXPORTERS[form].untrained:
        forms = [name for name, each in EXPORTERS.items() if each.untrained]
        raise UsageError(f"--to: build writes {' or '.join(forms)}; export a run for {form}")
    network = GridNetwork(grid)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    name = f"{output_name(spec, grid)}{EXPORTERS[form].suffix}"
    rows = [*describe(grid), ("parameters", f"{parameters:,}")]
    # At the size and batch that lints take by themselves.
    findings = find(Case(grid))
    if findings:
        given = [word for setting in settings or () for word in ("--set", setting)]
        command = [spec, *(("--as", topology) if topology else ()), *given]
        rows.append(("lints", _summary(findings, command)))
    path = output or Path("runs") / name
    _require_no_trained(path)
    if form == "safetensors":
        written = save_network(network, path, about={"untrained": True})
    else:
        (written,) = export_network(grid, path).files
    print_rows([*rows, ("wrote", str(written))])


def _require_no_trained(path: Path) -> None:
    """Refuse to write initialized weights over others. Errors: `UsageError`."""
    from gridgen.emit.weights import SUFFIX, load_tensors
    from gridgen.training.run.folder import require_not_kept

    require_not_kept(path)
    if not ends_in(path, SUFFIX) or not path.exists():
        return
    try:
        holds = "" if "untrained" in load_tensors(path)[1] else "trained weights"
    except WeightsError:
        holds = "what gridgen build did not write"
    if holds:
        raise UsageError(f"-o: {path} holds {holds}; name another file, or remove it")


def lint(
    spec: SpecName,
    topology: As = None,
    settings: Settings = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW", help="Image, or crop, to train on; 400x400, rounded up, if not given."
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Images in a training step; 4 if not given.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on findings.")] = False,
    as_json: AsJson = False,
) -> int:
    """Say what a network will do that may not be meant, and the flags that mend it.

    Findings are no errors: the exit code is 0, or 1 with --strict.
    """
    from gridgen.analysis.lints import LINTS, Case, lint_case as find
    from gridgen.analysis.lints.case import PAPER_BATCH

    case = Case(grid_of(spec, topology, settings), size_of(size), batch or PAPER_BATCH)
    findings = find(case)
    if as_json:
        found = [finding.as_json() for finding in findings]
        asked = {"size": list(case.image), "batch": case.batch, "lints": list(LINTS)}
        print_json({**asked, "findings": found})
    else:
        _print(case, findings)
    return FOUND if findings and strict else 0


def _summary(findings: "tuple[Finding, ...]", command: list[str]) -> str:
    """Findings in one line, and the command that tells more."""
    names = dict.fromkeys(finding.lint for finding in findings)
    return f"{_number(findings)}: {', '.join(names)}; see gridgen lint {shlex.join(command)}"


def _print(case: "Case", findings: "tuple[Finding, ...]") -> None:
    from gridgen.analysis.lints import LINTS

    width = max(len(finding.lint) for finding in findings) + 2 if findings else 0
    for finding in findings:
        _print_finding(finding, " " * width)
    at = f"batch {case.batch} of {shape_text(case.image)}"
    print(f"{_number(findings)} at {at}")
    print(wrapped(f"checked: {', '.join(LINTS)}"))


def _print_finding(finding: "Finding", margin: str) -> None:
    """The fact and the fix in words; its flags on a line of their own, to be copied."""
    fact = f"{finding.lint:<{len(margin)}}{brief(finding.places)}: {finding.fact}"
    print(wrapped(fact, margin))
    print(wrapped(f"{margin}fix: {finding.fix.words}", margin))
    if finding.fix.flags:
        print(f"{margin}{shlex.join(finding.fix.flags)}")


def _number(findings: "tuple[Finding, ...]") -> str:
    return f"{len(findings) or 'no'} finding{'s' * (len(findings) != 1)}"
