"""The order of the files inside some rooms, which imports must follow: `python -m
tests.structure.order`.

A file may import those before it in its room's order. A name in the order stands for a file, or for
a folder with all that is in it. Imports inside functions and for type checking count too.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from tests.structure.package import dotted, modules

ORDERS: dict[str, tuple[str, ...]] = {
    "training": (
        *(
            "processes",
            "inference",
            "windows",
            "bands",
            "recipe",
            "tasks",
            "run",
            "scoring",
            "loop",
        ),
    ),
    "analysis": (
        *("sizes", "paths", "dropout", "receptive", "counting", "breakdown", "needs", "relations"),
        *("differences", "lints"),
    ),
    "memory": (
        *("setting", "tape", "operations", "losses", "replay", "layers", "recording"),
        *("kept_by_map", "map_costs"),
        *("min_memory_order", "accounting", "supernet", "device", "host"),
    ),
    "space": (
        *("workload", "choices", "spec_array", "structure_counts", "part_costs", "cost_tables"),
        *(
            "quantities",
            "budget",
            "matching",
            "subnetworks",
            "memory_limit",
            "networks",
            "feasible_set",
            "selection",
        ),
    ),
    "latency": ("work", "layer_times"),
    "layouts": ("layout", "backbones", "whole", "converting"),
    "export": (
        *("source", "unseen", "exported_program", "onnx", "rewriting", "int8", "exporters"),
    ),
    "study": (
        *(
            "fronts",
            "rungs",
            "methods",
            "trials",
            "language",
            "candidates",
            "proposals",
            "engine",
            "store",
        ),
        *("report", "driver", "looking", "ensembles"),
    ),
    "supernet": (
        "kept_scores",
        "scoring",
        "alone",
        "agreement",
        "check",
        "choosing",
        "page",
        "plan",
        "searching",
    ),
    "tabular": (
        "trainings",
        "table",
        "encodings",
        "regret",
        "simulation",
        "ranking",
        "effects",
        "standings",
        "page",
    ),
}
"""By room, from above; the room's `__init__` may import all."""


@dataclass(frozen=True, eq=False)
class Imports:
    """Which module each import of a package leads to."""

    trees: dict[str, ast.Module]

    @cached_property
    def paths(self) -> dict[str, str]:
        """The path of each module by the name under which it is imported."""
        return {dotted(path): path for path in self.trees}

    @cached_property
    def given(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Package and name -> module and name, for what each `__init__` takes from elsewhere."""
        return {
            (dotted(path), alias.asname or alias.name): (node.module, alias.name)
            for path, tree in self.trees.items()
            if path.endswith("__init__.py")
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module in self.paths
            for alias in node.names
        }

    def of(self, module: str) -> set[str]:
        """The paths of the modules that `module` imports, inside functions too.

        Where a package is imported for a name that its `__init__` takes from a module, it is that
        module which counts.
        """
        found = set()
        for node in ast.walk(self.trees[module]):
            if isinstance(node, ast.Import):
                found |= {self.paths[a.name] for a in node.names if a.name in self.paths}
            if isinstance(node, ast.ImportFrom) and node.module in self.paths:
                found |= {self.origin(node.module, alias.name) for alias in node.names}
        return found - {module}

    def origin(self, package: str, name: str) -> str:
        """The path of the module that defines what `from package import name` gives."""
        while (package, name) in self.given:
            before, (package, name) = (package, name), self.given[package, name]
            if before == (package, name):
                break
        return self.paths.get(f"{package}.{name}", self.paths[package])


def graph(room: str, trees: dict[str, ast.Module] | None = None) -> dict[str, set[str]]:
    """Which files of a room each of its files imports, `__init__` files aside."""
    trees = modules() if trees is None else trees
    inside = [path for path in trees if path.startswith(f"{room}/")]
    files = {path for path in inside if not path.endswith("__init__.py")}
    imports = Imports(trees)
    return {path: imports.of(path) & files for path in sorted(files)}


def cycle(room: str, trees: dict[str, ast.Module] | None = None) -> list[str]:
    """Files of a room that import each other in a circle; none where there is no such."""
    try:
        TopologicalSorter(graph(room, trees)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def upward(
    room: str, order: tuple[str, ...], trees: dict[str, ast.Module] | None = None
) -> Iterator[str]:
    """Every import against the order, and every file that has no place in it."""
    for path, others in graph(room, trees).items():
        if _place(path) not in order:
            yield f"{path}: {_place(path)} has no place in the order of {room}/"
            continue
        for other in sorted(others):
            if _place(other) in order[order.index(_place(path)) + 1 :]:
                yield f"{path} imports {other}, which is below it"


def _place(path: str) -> str:
    """The file or folder right inside the room to which `path` belongs."""
    return path.split("/")[1].removesuffix(".py")


def an_order(room: str) -> list[str]:
    """One order of a room's files and folders that its imports follow, cycles left out."""
    places: dict[str, set[str]] = {}
    for path, others in graph(room).items():
        places.setdefault(_place(path), set()).update(_place(other) for other in others)
    for place, others in places.items():
        others.discard(place)
    try:
        return list(TopologicalSorter(places).static_order())
    except CycleError as error:
        return [f"none: {' -> '.join(error.args[1])}"]


def main() -> None:
    """For each room its circle, what runs upward, and an order that would do."""
    for room, order in ORDERS.items():
        print(f"{room}/: {an_order(room)}")
        print("".join(f"  in a circle: {path}\n" for path in cycle(room)), end="")
        if order:
            print("".join(f"  {fault}\n" for fault in upward(room, order)), end="")


if __name__ == "__main__":
    main()
