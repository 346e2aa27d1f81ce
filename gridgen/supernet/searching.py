"""Searches whose candidates are scored by a supernet, and whose best alone are trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridgen.arguments import PathLike, checked
from gridgen.errors import SpecError, TrainingError
from gridgen.grid import build_grid
from gridgen.study import Study, search
from gridgen.study.engine.engine import TrainingJob
from gridgen.study.engine.ray_cluster import RayCluster
from gridgen.study.report.observer import SearchObserver
from gridgen.study.report.result import Result
from gridgen.supernet.check import Agreement, trust
from gridgen.supernet.plan import require_one_grid
from gridgen.supernet.scoring import SubnetworkScorer
from gridgen.training.run.exporting import export_model

INITIAL = "-from-supernet.safetensors"


@dataclass(frozen=True)
class SupernetScreen:
    """Scores of candidates by the weights of a supernet; `fine_tunes`: what is trained begins with
    them.
    """

    scorer: SubnetworkScorer
    fine_tunes: bool = False

    @property
    def digests(self) -> Mapping[str, str]:
        """That of the weights and of how statistics are made anew, and those of the data."""
        return {"supernet_weights": self.scorer.digest, **self.scorer.run.facts.data_digests}

    @property
    def name(self) -> str:
        """The run."""
        return f"the supernet {self.scorer.run.folder}"

    @property
    def trust(self) -> str:
        """How far scores without training can be trusted."""
        return trust(Agreement.read(self.scorer.run.folder, self.scorer.digest))

    def score(self, job: TrainingJob) -> Mapping[str, float]:
        """The scores of a candidate. Errors: `TrainingError` where it is no sub-network."""
        try:
            (found,) = self.scorer.score([job.grid])
        except SpecError as error:
            raise TrainingError(f"no sub-network of the supernet: {error}") from error
        return found.scores

    def initial(self, job: TrainingJob) -> Path | None:
        """The weights of a candidate as the supernet has them, in a file beside its run."""
        if not self.fine_tunes:
            return None
        path = job.folder.with_name(f"{job.folder.name}{INITIAL}")
        return path if path.is_file() else export_model(self.scorer.model(job.grid), path)


@checked
def search_by_supernet(
    study: Study | PathLike,
    run: PathLike | None = None,
    *,
    folder: PathLike,
    trials: int | None = None,
    parallel: int | None = None,
    device: str = "auto",
    cluster: RayCluster | None = None,
    storage: str | None = None,
    watch: SearchObserver | None = None,
) -> Result:
    """Search as `search` does, but with scores of sub-networks of the supernet in `run`, or in the
    study's own; the best are then trained as the study's `confirm` says, alone or from the
    supernet's weights.

    Errors: as `search`; `SpecError` where the first network of a study is no sub-network that was
    trained (of others the trial fails), or where it has other data or classes than the supernet;
    `UsageError` for a run without a supernet.
    """
    study = study if isinstance(study, Study) else Study.load(study)
    if run is not None:
        study = study.but(supernet=str(run))
    if study.supernet is None:
        raise study.blame(SpecError("give the run of gridgen supernet", ("supernet",)))
    scorer = SubnetworkScorer(study.supernet, device)
    _require_sub_networks(study, scorer)
    fine_tunes = study.confirm is not None and study.confirm.init == "supernet"
    return search(
        study,
        folder=folder,
        trials=trials,
        screen=SupernetScreen(scorer, fine_tunes),
        parallel=parallel,
        device=device,
        cluster=cluster,
        storage=storage,
        watch=watch,
    )


def _require_sub_networks(study: Study, scorer: SubnetworkScorer) -> None:
    """Refuse a study whose first network was not trained with the supernet, or that is scored in
    another way.
    """
    facts, run = scorer.run.facts, scorer.run.folder
    for field in ("holdout", "fold", "group"):
        said: Any = getattr(study, field)
        if said != getattr(facts, field):
            fact = f"{said or 'not given'}, but {getattr(facts, field) or 'not given'} in {run}"
            raise study.blame(SpecError(f"{fact}; give the same", (field,)))
    if study.objective not in scorer.columns:
        fact = f"{study.objective} is no score of {run}"
        raise study.blame(SpecError(f"{fact}; give {scorer.metrics[0]}", ("objective",)))
    if study.training.inference != scorer.recipe.inference:
        fact = f"{run} was scored with another; give the same"
        raise study.blame(SpecError(fact, ("recipe", "inference")))
    require_one_grid(study)
    network = study.network(study.dimensions.first())
    try:
        scorer.require(build_grid(network))
    except SpecError as error:
        raise study.blame(SpecError(f"{run}: {error}", ("spec", *error.field))) from error
