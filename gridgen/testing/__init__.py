"""Contract suites for members of one's own: a unit, a topology, a dataset, a task, a lint ...

Plain functions that raise an `AssertionError` with one sentence that says what does not hold; the
project's own members are held against the same ones. They need neither pytest nor hypothesis.
"""

from gridgen.testing.datasets import check_dataset as check_dataset
from gridgen.testing.lints import check_lint as check_lint
from gridgen.testing.members import (
    check_activation as check_activation,
    check_fusion as check_fusion,
    check_head as check_head,
    check_norm as check_norm,
    check_stem as check_stem,
    check_topology as check_topology,
    check_unit as check_unit,
)
from gridgen.testing.networks import (
    check_counts as check_counts,
    check_gradients as check_gradients,
    check_grid as check_grid,
    check_pruning as check_pruning,
    check_saved_bytes as check_saved_bytes,
)
from gridgen.testing.tasks import check_task as check_task
