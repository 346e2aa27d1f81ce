"""The suite for lints: they fire where they should and nowhere else, and their fixes help."""

import json

from gridgen.analysis.lints import LINTS, Case, Finding
from gridgen.analysis.lints.names import Lint
from gridgen.arguments import checked
from gridgen.testing.requiring import require, saying, title


@checked
def check_lint(lint: Lint, *, fires: Case, silent: Case) -> None:
    """Hold a lint against its contract, on a case where it must fire and one where it must not.

    What it finds has a fact, a fix that removes it, and places that the network has. Errors:
    `AssertionError`.
    """
    with saying(f"lint {title(lint)}"):
        require(lint.__doc__, "it has no docstring, which `gridgen list lints` shows")
        found = list(lint(fires))
        require(found, "it finds nothing where it should fire")
        require(found == list(lint(fires)), "it does not find the same each time")
        for finding in found:
            with saying(f"at {', '.join(finding.places) or 'no place'}"):
                _check_finding(finding, fires)
                left = list(lint(fires.mended(finding.fix)))
                require(not left, f"{finding.fix.words!r} leaves {left[0].fact!r}" if left else "")
        names = {finding.lint for finding in found}
        known = {name for name, member in LINTS.items() if member is lint} or names
        require(len(names) == 1 and names == known, f"its findings are called {', '.join(names)}")
        for finding in lint(silent):
            require(False, f"it fires where it should be silent: {finding.fact}")


def _check_finding(finding: Finding, case: Case) -> None:
    require(finding.places, "a finding names no place")
    require(finding.fact and "\n" not in finding.fact, "the fact is not one line")
    require(finding.fix.words, "the fix has no words")
    require(finding.fix.flags, "the fix changes no field, size or batch, so it removes nothing")
    for place in finding.places:
        require(place in _places(case), f"the network has no place {place!r}")
    plain = finding.as_json()
    require(json.loads(json.dumps(plain)) == plain, "the finding is not plain JSON")


def _places(case: Case) -> set[str]:
    """All that a finding may name."""
    grid, full = case.grid, case.grid.full
    connections = {connection.name for connection in (*full, *grid.dead_ends)}
    streams = {f"stream {feature_map.stream}" for feature_map in full.maps}
    sides = {f"sides.{side.target.name}" for side in full.sides}
    maps = {feature_map.name for feature_map in full.maps}
    fields = set(type(grid.spec).model_fields)
    return {"stem", "head", "network", *connections, *streams, *sides, *maps, *fields}
