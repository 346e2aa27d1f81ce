"""All sub-topologies of one grid, trained: a table to look up, and to test searches with."""

from gridgen.tabular.table import (
    BenchmarkedTopology as BenchmarkedTopology,
    TopologyBenchmark as TopologyBenchmark,
    topology_benchmark as topology_benchmark,
)
from gridgen.tabular.trainings import BenchmarkTraining as BenchmarkTraining
