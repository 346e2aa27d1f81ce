"""Who is told how a training goes: a terminal, a log, TensorBoard."""

from gridgen.training.watching.watch import Several, Watch

__all__ = ["Several", "Watch"]
