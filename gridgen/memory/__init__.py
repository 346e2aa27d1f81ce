"""The bytes that a network needs, found by replaying its program. Builds nothing."""

from gridgen.memory.accounting import (
    Memory as Memory,
    count_memory as count_memory,
    inference_memory as inference_memory,
    training_memory as training_memory,
)
from gridgen.memory.setting import Setting as Setting
