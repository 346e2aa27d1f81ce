"""Every study that comes along is sampled, searched to its report, and trained at a tiny size."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from folders import save

from gridgen.grid import build_grid
from gridgen.study import Study, search
from gridgen.study.driver.dry_run import sampled
from gridgen.study.language.requirements import require_data
from gridgen.training import Run, train

STUDIES = sorted((Path(__file__).parents[3] / "studies").glob("*.yaml"))
every_study = pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
SIDE = 32
IMAGES = {"train": ("a", "b", "c", "0006R0_d"), "val": ("e", "f")}


@every_study
def test_a_shipped_study_is_sampled_within_its_budget(path):
    study = Study.load(path)
    found = sampled(study, 4).candidates
    wanted = min(4, study.dimensions.size or 4)
    assert len({each.key for each in found}) == len(found) == wanted
    for each in found:
        limits = study.limits_of(study.recipe_of(each.params))
        assert not limits.broken(limits.cost(build_grid(each.network)))


@every_study
def test_a_shipped_study_is_searched_to_its_report(path, tmp_path):
    study = Study.load(path)

    def evaluate(job):
        luck = Random(f"{job.grid.fingerprint} {job.recipe.learning_rate} {job.seed}")
        for epoch in range(1, 4):
            job.report(epoch, luck.random())
        return luck.random()

    result = search(study, folder=tmp_path / "found", trials=2, evaluate=evaluate)
    assert len(result.entries) == 2
    seeds = {each.seed for record in result.entries for each in record.trainings}
    assert seeds == set(study.seeds)
    confirmed = [record for record in result.records if record.role == "confirmation"]
    assert bool(confirmed) == (study.confirm is not None)
    page = (tmp_path / "found" / "report.html").read_text("utf-8")
    assert result.answer.headline.split(":")[0] in page
    if study.budget.bound == "paper":
        assert "the formulas admit 96 networks" in page


@pytest.mark.slow
@every_study
def test_a_shipped_study_is_trained_at_a_tiny_size(path, tmp_path):
    """Its space, budget, objective and methods as they are; images, epochs and seeds are few."""
    study = tiny(Study.load(path), tmp_path / "data")
    require_data(study)

    # Here, as a process of its own would first import torch for some seconds.
    def evaluate(job):
        how = {"folder": job.folder, "seed": job.seed, "holdout": study.holdout, "device": "cpu"}
        return train(job.grid, study.data, job.recipe, **how).rows()[-1]

    result = search(study, folder=tmp_path / "found", trials=1, evaluate=evaluate)
    assert [record.state for record in result.records] == ["finished"] * len(result.records)
    roles = [record.role for record in result.records]
    confirmed = roles.count("baseline") + 1 if study.confirm else 0
    assert roles.count("baseline") == len(study.baselines)
    assert (roles.count("searched"), roles.count("confirmation")) == (1, confirmed)
    for record in result.records:
        for each in record.trainings:
            run = Run.open(tmp_path / "found" / each.folder)
            assert run.spec == record.candidate.network
            assert run.rows()[-1][study.objective] == each.score


def tiny(study: Study, data: Path) -> Study:
    """The study on a few small images of noise, two epochs, one seed."""
    shape = study.unmatched(study.dimensions.first())
    rng, channels = np.random.default_rng(0), (shape.in_channels,) * (shape.in_channels > 1)
    for split, names in IMAGES.items():
        for name in names:
            pixels = rng.integers(0, 256, (SIDE, SIDE, *channels), np.uint8)
            labels = rng.integers(0, shape.classes, (SIDE, SIDE), np.uint8)
            save(data / split / "images" / f"{name}.png", pixels)
            save(data / split / "labels" / f"{name}.png", labels)
    lines = [f"{n}\tkind {n}\t{n}\t{n}\t{n}\tclass\n" for n in range(shape.classes)]
    (data / "classes.txt").write_text("".join(lines), "utf-8")
    fields = study.training.but(
        epochs=2,
        batch=2,
        validate_every=1,
        workers=0,
        precision="fp32",
        schedule="torch7",
        crop={"smallest": SIDE, "largest": SIDE, "size": SIDE},
    )
    confirm = study.confirm and study.confirm.but(seeds=2)
    return study.but(data=str(data), recipe=fields.plain(), seeds=1, confirm=confirm)
