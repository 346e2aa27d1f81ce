"""What one training keeps on disk: facts, losses, checkpoints, weights."""

from gridgen.training.run.folder import (
    FACTS,
    FIELDS,
    MetricsRow,
    Run,
    best_row,
    dump,
    lock,
    require_free,
)

__all__ = ["FACTS", "FIELDS", "MetricsRow", "Run", "best_row", "dump", "lock", "require_free"]
