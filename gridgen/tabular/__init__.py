"""All sub-topologies of one grid, trained: a table to look up, and to test searches with."""

from gridgen.tabular.table import BenchmarkedTopology, TopologyBenchmark, topology_benchmark
from gridgen.tabular.trainings import BenchmarkTraining
