"""What one training keeps on disk: facts, losses, checkpoints, weights."""

from gridgen.training.run.folder import FACTS, FIELDS, Row, Run, best_row, dump, lock, require_free

__all__ = ["FACTS", "FIELDS", "Row", "Run", "best_row", "dump", "lock", "require_free"]
