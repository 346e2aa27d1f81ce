"""Training in child processes: a placeholder until the engine is here."""

from dataclasses import dataclass

from gridgen.study.engine.engine import TrainingJob, TrainingOutcome


@dataclass(frozen=True)
class Shared:
    """What all trainings of a search share."""

    data: str
    objective: str
    holdout: str | None
    fold: str | None
    device: str
    timeout: float | None


class ChildEngine:
    """Trainings in child processes."""

    def __init__(self, shared: Shared, places: int) -> None:
        self.shared, self.places = shared, places

    def submit(self, job: TrainingJob) -> None:
        """Accept a training."""
        raise NotImplementedError

    def wait(self) -> TrainingOutcome:
        """Wait for the end of one."""
        raise NotImplementedError

    def close(self) -> None:
        """End all."""
