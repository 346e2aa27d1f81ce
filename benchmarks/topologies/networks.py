"""Write gridgen/tabular/networks.csv: what the networks of the table are, and what they cost.

    python -m benchmarks.topologies.networks

Counts alone: nothing is trained.
"""

from gridgen import GridSpec, Subtopology, build_grid, count, paths, receptive_field, subtopologies
from gridgen.files import write_file
from gridgen.names import csv_text
from gridgen.tabular.table import COSTS, IMAGE, NETWORKS, SPEC


def costs(spec: GridSpec) -> dict[str, int | None]:
    grid = build_grid(spec)
    counted = count(grid, IMAGE)
    return {
        "parameters": counted.parameters.total,
        "macs": counted.macs.total,
        "activations": counted.activations.total,
        "receptive_field": receptive_field(grid),
        "paths": paths(grid).total,
    }


def row(topology: Subtopology) -> list[object]:
    counted = costs(SPEC.but(topology=topology.topology))
    named = " ".join(topology.connections)
    return [topology.name, *(counted[name] for name in COSTS), named]


def main() -> None:
    rows = [row(each) for each in subtopologies(SPEC)]
    write_file(NETWORKS, csv_text([("topology", *COSTS, "connections"), *rows]))
    print(f"{NETWORKS}: {len(rows)} networks")


if __name__ == "__main__":
    main()
