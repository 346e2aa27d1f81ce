"""The folder of a training: facts, losses, checkpoints, weights; and opening what it trained."""

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
