"""How many bytes a network needs, read off what its module would do. Builds nothing."""

from gridgen.analysis.memory.memory import Memory, inference_memory, memory, training_memory
from gridgen.analysis.memory.setting import Setting

__all__ = ["Memory", "Setting", "inference_memory", "memory", "training_memory"]
