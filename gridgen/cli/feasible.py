"""`gridgen feasible`: every spec of a search space that meets the budgets."""

from pathlib import Path
from typing import Annotated

import typer


def feasible(study: Annotated[Path, typer.Argument(help="YAML file of the study.")]) -> None:
    """Count and draw the candidates of a study that are within its budget."""
    raise NotImplementedError
