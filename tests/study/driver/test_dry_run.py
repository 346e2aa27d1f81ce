"""Sampling without training: what a search would refuse is refused here too."""

import pytest
from study.fakes import study

from gridgen.errors import RunError, SpecError
from gridgen.study.driver.dry_run import sampled


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"budget": {"parameters": 10}}, "meets it; nearest is"),
        ({"objective": "holdout_iou"}, "nothing is held out"),
        ({"objective": "holdout_iou", "data": "no/folder"}, "nothing is held out"),
        ({"data": __file__}, "a file; a dataset is a folder"),
        ({"holdout": "zzz*"}, "matches none of"),
        ({"spec": {"classes": 9}}, "but the data shapes has 3"),
        ({"confirm": {"init": "supernet"}}, "there is no supernet"),
    ],
)
def test_what_a_search_refuses_is_refused(fields, said):
    with pytest.raises(SpecError, match=said):
        sampled(study(**fields), 3)


def test_data_that_is_missing_is_told_and_nothing_else_refused(tmp_path):
    found = sampled(study(data=str(tmp_path / "later")), 3)
    assert len(found.candidates) == 3
    assert found.unchecked.startswith("nothing is checked against the data: ")
    assert found.unchecked.endswith("later: no such folder")
    assert sampled(study(), 3).unchecked == ""


def test_a_supernet_that_is_missing_is_refused(tmp_path):
    with pytest.raises(RunError, match="no run there"):
        sampled(study(supernet=str(tmp_path / "none"), confirm={"top": 1}), 3)


def test_candidates_that_are_held_against_a_further_score_are_drawn():
    assert len(sampled(study(against=["val_accuracy"]), 3).candidates) == 3
