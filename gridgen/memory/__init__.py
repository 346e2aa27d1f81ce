"""The bytes that a network needs, found by replaying its program. Builds nothing."""

from gridgen.memory.accounting import Memory, count_memory, inference_memory, training_memory
from gridgen.memory.setting import Setting
