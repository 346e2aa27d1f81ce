"""The smallest training that has every part: a few seconds on one core."""

from gridgen.spec import GridSpec
from gridgen.training import Recipe

SPEC = GridSpec.of(
    streams=2, columns="1+1", base_channels=3, classes=3, total_dropout=0.3, size="pad"
)
RECIPE = Recipe.of(
    epochs=3,
    batch=250,
    learning_rate=0.01,
    crop={"smallest": 8, "largest": 16, "size": 8},
)
STEPS = 12

PROGRAM = """
import sys
from gridgen.cli.app import run
sys.exit(run(sys.argv[1:]))
"""
