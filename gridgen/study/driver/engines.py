"""Which engine runs the trainings of a search: in this process, in children, or in a cluster."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gridgen.study.engine.children import ChildEngine
from gridgen.study.engine.engine import Engine, Evaluate, FunctionEngine
from gridgen.study.engine.messages import Shared
from gridgen.study.engine.ray_cluster import RayCluster
from gridgen.study.language.study import Study


@dataclass(frozen=True)
class TrainingPlaces:
    """Where the trainings of a search in `folder` run, and how many at once."""

    folder: Path
    parallel: int | None
    device: str
    cluster: RayCluster | None


def engine_of(
    study: Study,
    evaluate: Evaluate | None,
    places: TrainingPlaces,
    held: dict[str, str],
    told: Callable[[str], None],
) -> Engine:
    """The engine of a search; `held` are the digests of what its data holds.

    Errors: `DeviceError`; `UsageError` where there is no such cluster.
    """
    if evaluate is not None:
        return FunctionEngine(evaluate, study.objective)

    shared = Shared(
        data=study.data,
        objective=study.objective,
        holdout=study.holdout,
        fold=study.fold,
        group=study.group,
        device=places.device,
        timeout=None if study.trial_timeout is None else 60 * study.trial_timeout,
        held=held,
    )
    if places.cluster is None:
        return ChildEngine(shared, places.parallel or 1, told)
    from gridgen.study.engine.ray_processes import RayProcesses

    told(f"connecting with Ray at {places.cluster.address}")
    processes = RayProcesses(places.cluster, places.device, places.folder)
    told(str(processes))
    return ChildEngine(shared, places.parallel or max(1, processes.fitting), told, processes)
