"""Cityscapes' four scores: our own counts, and the official script, which must agree."""

import json
from importlib.util import find_spec
from math import isnan, nan

import numpy as np
import pytest
import torch
from cityscapes import FAULTS, ID, make_tree, read_tree, write_predictions
from PIL import Image

from gridgen.data import Sample
from gridgen.data.cityscapes import LABEL_IDS, Cityscapes
from gridgen.errors import DataError, UsageError
from gridgen.training.scoring import official
from gridgen.training.scoring.cityscapes import (
    AVERAGE_SIZES,
    PUBLISHED,
    CityscapesScore,
    FourScores,
    ScoreColumn,
    table,
)
from gridgen.training.scoring.official import Benchmark, score_official, write_label_ids

TOLERANCE = 1e-6


@pytest.fixture(scope="module", params=[0, 1, 2])
def root(request, tmp_path_factory):
    return make_tree(tmp_path_factory.mktemp("tree") / "cs", request.param)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return make_tree(tmp_path_factory.mktemp("tree") / "cs", 7)


@pytest.fixture
def script():
    if find_spec(official.PACKAGE) is None:
        pytest.skip("cityscapesscripts, the official script, is not installed")


def own(root, fault, split="val"):
    """Our scores of label ids with that fault."""
    score = CityscapesScore()
    for ids, numbers in read_tree(root, split).values():
        score.count(ids, numbers, FAULTS[fault](ids))
    return score.scores()


def counted(truth, instances, predicted):
    score = CityscapesScore()
    score.count(*(np.array([row]) for row in (truth, instances, predicted)))
    return score.scores()


def failure(kind, call, *arguments):
    with pytest.raises(kind) as error:
        call(*arguments)
    return str(error.value)


@pytest.mark.parametrize("fault", FAULTS)
def test_our_scores_are_the_official_ones(script, root, fault, tmp_path):
    scored = score_official(write_predictions(tmp_path, root, fault), root)
    assert own(root, fault).difference(scored) < TOLERANCE


def test_the_trees_and_faults_reach_what_could_go_wrong(root):
    scores = {fault: own(root, fault) for fault in FAULTS}
    assert [column.mean for column in scores["perfect"]] == [1, 1, 1, 1]
    for fault in ("shifted", "swapped", "invented", "odd", "scattered"):
        means = [column.mean for column in scores[fault]]
        assert len({*means, 0, 1}) == 6, "four scores that differ, none of them trivial"
    assert isnan(scores["shifted"].iou_class.values["wall"])
    assert scores["invented"].iou_class.values["wall"] == 0
    assert 0 in scores["scattered"].iiou_class.values.values()
    assert any(map(isnan, scores["shifted"].iiou_class.values.values()))


def test_train_is_scored_as_val_is(script, one, tmp_path):
    scored = score_official(write_predictions(tmp_path, one, "shifted", "train"), one, "train")
    assert own(one, "shifted", "train").difference(scored) < TOLERANCE


def test_answers_of_a_network_go_through_files_and_counts_alike(script, one, tmp_path):
    benchmark = Benchmark(f"cityscapes:{one}", "val", tmp_path / "ids")
    heard = []
    for sample in Cityscapes(one, "val"):
        benchmark.see(sample, sample.label.roll(3, 1).clamp(max=18))
    verdict = benchmark.verdict(lambda *counts: heard.append(counts))
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert verdict.own.difference(verdict.official) < TOLERANCE
    assert 0.2 < verdict.official.iou_class.mean < 0.9
    names = sorted(path.name for path in (tmp_path / "ids").glob("*.png"))
    assert names == [f"{name}_labelIds.png" for name in Cityscapes(one, "val").names]
    scored, counts, wrote = verdict.rows()
    assert scored[1].startswith("cityscapesscripts ")
    assert counts[1].startswith("give the same, but for ")
    assert wrote == ("wrote", f"{tmp_path / 'ids'}: label ids of every image, and official.json")
    told = json.loads((tmp_path / "ids" / "official.json").read_text("utf-8"))
    assert told["iou_class"]["mean"] == verdict.official.iou_class.mean
    assert told["iou_class"]["wall"] is None
    assert told["paper"][1]["iou_class"] == 0.65


def test_a_written_answer_holds_label_ids(tmp_path):
    answer = torch.arange(20).reshape(4, 5).clamp(max=18)
    sample = Sample("ulm_000000_000019", torch.zeros(3, 4, 5), answer)
    write_label_ids(tmp_path / "new", sample.name, answer)
    with Image.open(tmp_path / "new" / "ulm_000000_000019_labelIds.png") as written:
        assert written.mode == "L"
        assert np.array_equal(np.array(written), LABEL_IDS[answer])


def test_a_small_instance_counts_as_much_as_a_large_one():
    car, road = ID["car"], ID["road"]
    truth = [car] * 8 + [road] * 2
    scores = counted(truth, [26000] * 6 + [26001] * 2 + [road] * 2, [car] * 6 + [road] * 4)
    assert scores.iou_class.values["car"] == 6 / 8
    assert scores.iiou_class.values["car"] == pytest.approx(1 / 2)


def test_false_positives_of_iiou_have_no_weight():
    car, road = ID["car"], ID["road"]
    average = AVERAGE_SIZES["car"]
    scores = counted([car, car, road], [26000, 26000, road], [car, car, car])
    assert scores.iiou_class.values["car"] == pytest.approx(average / (average + 1))


def test_within_a_category_the_classes_need_not_be_told_apart():
    car, bus = ID["car"], ID["bus"]
    scores = counted([car, bus], [26000, 28000], [bus, ID["caravan"]])
    assert scores.iiou_class.values["car"] == 0
    assert scores.iou_category.values["vehicle"] == 1 / 2, "a caravan is not scored"
    assert scores.iiou_category.values["vehicle"] == 1


def test_what_is_not_scored_in_the_truth_counts_nowhere():
    road = ID["road"]
    scores = counted([road, 0, 9, 29], [road, 0, 9, 29000], [road, road, road, road])
    assert scores.iou_class.mean == scores.iou_category.mean == 1
    assert isnan(scores.iiou_class.mean)


def test_what_is_not_scored_is_a_miss_where_it_is_predicted():
    road = ID["road"]
    assert counted([road, road], [road, road], [road, 0]).iou_class.mean == 1 / 2


def test_scores_of_nothing_are_none():
    assert all(isnan(column.mean) for column in CityscapesScore().scores())


def test_a_class_that_only_one_of_two_has_makes_them_differ():
    assert ScoreColumn({"a": nan}, nan).difference(ScoreColumn({"a": nan}, nan)) == 0
    assert ScoreColumn({"a": nan}, nan).difference(ScoreColumn({"a": 0.0}, nan)) == float("inf")


def test_iiou_needs_instances():
    sample = Sample("a", torch.zeros(3, 2, 2), torch.zeros(2, 2, dtype=torch.int64))
    assert failure(DataError, CityscapesScore().see, sample, sample.label) == (
        "a: no instances, which iIoU needs; cityscapes:PATH has them"
    )


def test_the_table_stands_beside_tables_1_and_2_of_the_paper():
    four = FourScores(*(ScoreColumn({}, mean) for mean in (0.5, 0.25, 0.123456, nan)))
    headings, mine, *paper = table([("runs/mine, val", four)])
    assert headings == ("", "IoU class", "iIoU class", "IoU categ.", "iIoU categ.")
    assert mine == ("runs/mine, val", "50.00", "25.00", "12.35", "-")
    assert paper[1] == (
        *(
            "table 1: sum, h-residual, total dropout (proposed)",
            "65.0",
            "43.2",
            "85.6",
            "70.1",
        ),
    )
    assert paper[-1] == ("table 2: GridNet, on test", "69.45", "44.06", "87.85", "71.11")
    assert [published.table for published in PUBLISHED] == [1] * 5 + [2]


def test_without_the_script_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(official, "find_spec", lambda name: None)
    said = "cityscapesscripts is not installed; pip install 'gridgen[cityscapes]'"
    assert failure(UsageError, score_official, tmp_path, tmp_path) == said
    assert failure(UsageError, Benchmark, "cityscapes:x", "val", tmp_path) == said


def test_only_cityscapes_has_official_scores(tmp_path):
    assert failure(UsageError, Benchmark, "shapes", "val", tmp_path) == (
        "--official needs Cityscapes, not shapes; give --data cityscapes:PATH"
    )


def test_a_part_of_a_split_has_no_official_scores(script, one, tmp_path):
    benchmark = Benchmark(f"cityscapes:{one}", "val", tmp_path)
    sample = Cityscapes(one, "val")[1]
    benchmark.see(sample, sample.label)
    assert failure(DataError, benchmark.verdict) == (
        "--official scores all of val; 2 images were not seen, such as frankfurt_000000_000019"
    )


def test_what_the_script_fails_on_is_told_in_one_line(script, one, tmp_path):
    truth = next((one / "gtFine" / "val").glob("*/*_labelIds.png")).resolve()
    said = failure(DataError, score_official, tmp_path / "none", one)
    assert said.startswith("cityscapesscripts: Found no prediction for ground truth ")
    for name in Cityscapes(one, "val").names:
        Image.new("L", (128, 60)).save(tmp_path / f"{name}_labelIds.png")
    said = failure(DataError, score_official, tmp_path, one)
    assert said.startswith("cityscapesscripts: Image heights of ")
    assert truth.name.split("_")[0] in said
    for name in Cityscapes(one, "val").names:
        Image.new("L", (128, 64), 200).save(tmp_path / f"{name}_labelIds.png")
    said = failure(DataError, score_official, tmp_path, one)
    assert (
        said == "cityscapesscripts: IndexError: index 200 is out of bounds for axis 0 with size 34"
    )


def test_a_root_may_have_any_name(script, tmp_path):
    root = make_tree(tmp_path / "a [1] *")
    assert (
        score_official(write_predictions(tmp_path / "p", root, "perfect"), root).iou_class.mean == 1
    )


def test_a_split_without_labels_is_refused(script, one, tmp_path):
    assert failure(DataError, score_official, tmp_path, one, "test") == (
        f"cityscapes:{one}: unknown split 'test'; known: train, val"
    )


def test_variables_that_the_script_reads_do_not_disturb_it(script, one, tmp_path, monkeypatch):
    for name in ("DATASET", "RESULTS", "EXPORT_DIR"):
        monkeypatch.setenv(f"CITYSCAPES_{name}", str(tmp_path / "none"))
    assert score_official(write_predictions(tmp_path, one, "perfect"), one).iou_class.mean == 1
