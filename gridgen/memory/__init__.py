"""How many bytes a network needs, read off what its module would do. Builds nothing."""

from gridgen.memory.accounting import Memory, count_memory, inference_memory, training_memory
from gridgen.memory.setting import Setting

__all__ = ["Memory", "Setting", "count_memory", "inference_memory", "training_memory"]
