"""Every study that comes along is searched to its report, by a function in place of trainings."""

from pathlib import Path
from random import Random

import pytest

from gridgen.study import Study, search

STUDIES = sorted((Path(__file__).parents[3] / "studies").glob("*.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
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
