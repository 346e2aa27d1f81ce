"""How far scores without training agree with those of networks trained alone."""

import json

import numpy as np
import pytest
from PIL import Image

from gridgen.errors import RunError, UsageError
from gridgen.figures import scores as figures
from gridgen.grid import build_grid
from gridgen.study import Study, search
from gridgen.supernet import check as module
from gridgen.supernet.agreement import ScoreAgreement
from gridgen.supernet.alone import TrainedAlone
from gridgen.supernet.check import FILE, UNCHECKED, Agreement, check_supernet, trust
from gridgen.supernet.scoring import SubnetworkScore, SubnetworkScorer
from gridgen.tabular import topology_benchmark
from gridgen.training import train
from tests.supernet.conftest import RECIPE, SPEC

PLAIN = RECIPE.but(supernet=None)


@pytest.fixture
def _few_are_enough(monkeypatch):
    monkeypatch.setattr(module, "FEWEST", 4)


def test_the_same_order_agrees_whole_and_loses_nothing_with_the_first():
    scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    found = ScoreAgreement.of(scores, [[2 * each] for each in scores], [100] * 6)
    assert found.tau.value == found.alike.value == 1
    assert found.seeds is None
    # The best five of six, of which the best has 1.2: their mean is 0.8.
    assert found.regret == pytest.approx(0.4)
    assert found.difference == pytest.approx(-0.35)


def test_seeds_agree_among_themselves():
    alone = [[0.1, 0.2], [0.2, 0.1], [0.3, 0.4], [0.4, 0.3], [0.5, 0.5]]
    found = ScoreAgreement.of([1, 2, 3, 4, 5], alone, [1, 10, 100, 1000, 10000])
    assert found.alike is None
    # Of ten pairs two are the other way round.
    assert found.seeds.tau.value == pytest.approx(0.6)
    assert found.seeds.deviation == pytest.approx(0.0707, abs=1e-3)


def test_the_share_of_what_seeds_reach_has_an_interval_of_its_own():
    random = np.random.default_rng(0)
    quality = np.arange(60.0)
    seeds = [quality + random.normal(0, 12, 60) for _ in range(2)]
    found = ScoreAgreement.of(quality, np.stack(seeds, axis=1).tolist(), range(100, 160)).seeds
    assert found.share.value == pytest.approx(found.given.value / found.tau.value)
    assert found.share.low < found.share.value < found.share.high
    # Both vary with the networks that are drawn, and so does their ratio less than they do.
    assert found.share.low > found.given.low / found.tau.high
    chance = ScoreAgreement.of(quality, random.normal(size=(60, 2)).tolist(), range(100, 160))
    assert chance.seeds.share is None


@pytest.mark.parametrize("seed", range(40))
def test_of_few_networks_there_is_a_share_only_where_no_draw_has_none(seed):
    random = np.random.default_rng(seed)
    alone = np.arange(10.0)[:, None] + random.normal(0, 4, (10, 2))
    found = ScoreAgreement.of(range(10), alone.tolist(), range(100, 110)).seeds
    assert found.share is None or -99 < found.share.low < found.share.high < 99


def test_what_is_chosen_on_val_is_judged_elsewhere_too():
    alone = [[0.1 * each] for each in range(10)]
    given, on_val = list(range(10)), [*range(5), *range(-5, 0)]
    found = ScoreAgreement.of(given, alone, range(100, 110), on_val)
    assert found.regret == pytest.approx(0.2)
    # The first five are taken, the best of which is 0.4.
    assert found.chosen_regret == pytest.approx(0.7)
    assert found.by_parameters.value == 1
    assert found.largest_regret == pytest.approx(0.2)
    assert ("regret of its best 5 by val", "0.700") in found.rows()


def test_what_counting_parameters_tells_too_is_no_merit():
    random = np.random.default_rng(0)
    sizes = [int(each) for each in random.permutation(60) + 100]
    alone = [
        [0.01 * size + luck, 0.01 * size]
        for size, luck in zip(sizes, random.normal(0, 0.1, 60), strict=True)
    ]
    same = ScoreAgreement.of([float(size) for size in sizes], alone, sizes)
    assert (same.over_parameters.low, same.over_parameters.high) == (0, 0)
    better = ScoreAgreement.of([sum(each) for each in alone], alone, sizes)
    assert better.over_parameters.low > 0
    # The highest mean is the luckiest: who knows the best has a regret, and the mean has none.
    assert better.perfect_regret > 0.01


def test_only_seeds_that_all_networks_have_are_compared():
    grid = build_grid(SPEC)
    luck = {0: 0.0, 1: 0.5, 2: -0.5}
    theirs = [(0, 1) if place % 2 else (1, 2) for place in range(12)]
    alone = [
        TrainedAlone(grid, {seed: {"val_iou": 0.01 * place + luck[seed]} for seed in seeds})
        for place, seeds in enumerate(theirs)
    ]
    scored = [SubnetworkScore(grid, {"parameters": 1}, {"val_iou": n}) for n in range(12)]
    found = Agreement.of(scored, alone, ["val_iou"], "", "").scores["val_iou"]
    assert found.tau.value == 1
    assert found.seeds is None
    with pytest.raises(UsageError, match=r"no seed is common .*, which have \[0, 1, 2\]"):
        Agreement.of(scored[:2], [alone[0], TrainedAlone(grid, {0: {}})], ["val_iou"], "", "")


@pytest.mark.usefixtures("_few_are_enough")
def test_confirmations_of_a_search_are_left_out(supernet, tmp_path):
    asked = Study(
        data="shapes",
        spec={name: value for name, value in SPEC.plain().items() if name != "topology"},
        space={"topology": ["gridnet", "resnet", "conv-deconv", "unet"]},
        baselines=[],
        trials=4,
        confirm={"top": 2, "seeds": 2, "recipe": {"learning_rate": 0.02}},
        recipe=PLAIN.plain(),
    )
    search(asked, folder=tmp_path / "found", parallel=2)
    found = check_supernet(supernet, [tmp_path / "found"])
    assert found.networks == 4
    assert found.scores["val_iou"].seeds is None


@pytest.mark.usefixtures("_few_are_enough")
def test_networks_trained_alone_are_found_and_others_left_out(supernet, alone):
    found = check_supernet(supernet, alone)
    assert found.networks == 4
    assert found.scores.keys() == {"val_iou"}
    assert found.scores["val_iou"].seeds is not None
    scorer = SubnetworkScorer(supernet)
    again = Agreement.read(supernet.folder, scorer.digest)
    assert again == found
    assert trust(again).startswith("val_iou τ ")
    assert trust(again).endswith(": 4 networks trained alone")


@pytest.mark.usefixtures("_few_are_enough")
def test_both_scores_are_drawn(supernet, alone, monkeypatch):
    drawn = []
    monkeypatch.setattr(module, "draw_compared", lambda *given: drawn.append(given))
    found = check_supernet(supernet, alone)
    ((points, parameters, named, labels, path),) = drawn
    ((title, (without, means)),) = points.items()
    assert title == f"val_iou, τ {found.scores['val_iou'].tau.told(2)}"
    assert labels == ("without training", "trained alone")
    assert np.mean(without) - np.mean(means) == pytest.approx(found.scores["val_iou"].difference)
    assert len(parameters) == len(without) == 4
    # One of the four is narrower.
    assert sorted(named.values()) == ["conv-deconv", "gridnet", "resnet"]
    figures.draw_compared(points, parameters, named, labels, path)
    assert path == supernet.folder / "agreement.png"
    with Image.open(path) as image:
        assert image.width > 600


@pytest.mark.usefixtures("_few_are_enough")
def test_of_other_weights_nothing_is_known(supernet, alone):
    check_supernet(supernet, alone)
    assert trust(Agreement.read(supernet.folder, "0123")) == UNCHECKED


def test_too_few_tell_nothing(supernet, alone):
    with pytest.raises(
        UsageError, match="1 of the networks trained alone can be compared; an order"
    ):
        check_supernet(supernet, alone[:2])
    others = [each for each in alone if each.name.startswith(("0", "3", "4"))]
    with pytest.raises(
        UsageError, match=r"compared \(of 2 others: .*\); an order needs 10 at least"
    ):
        check_supernet(supernet, others)
    with pytest.raises(UsageError, match="and a benchmark are given; give one of them"):
        check_supernet(supernet, alone, benchmark=topology_benchmark())


def test_a_folder_without_trainings_is_told(supernet, tmp_path):
    with pytest.raises(RunError, match="no finished training from random weights there"):
        check_supernet(supernet, [tmp_path])


def test_trainings_on_other_data_are_refused(supernet, alone, tmp_path):
    facts = json.loads((alone[0] / "run.json").read_text("utf-8"))
    other = tmp_path / "run"
    other.mkdir()
    for path in alone[0].iterdir():
        if path.is_file():
            (other / path.name).write_bytes(path.read_bytes())
    for field in ("holdout", "labels"):
        (other / "run.json").write_text(json.dumps(facts | {field: "0*"}))
        with pytest.raises(RunError, match=f"with the same {field}"):
            check_supernet(supernet, [other])
    (other / "run.json").write_text(json.dumps(facts))
    recipe = PLAIN.but(inference={"flip": True}).complete()
    (other / "recipe.yaml").write_text(json.dumps(recipe))
    with pytest.raises(RunError, match="was scored with another inference than"):
        check_supernet(supernet, [other])


def test_a_damaged_file_is_told(supernet, tmp_path):
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(RunError, match=r"damaged, or of another gridgen; remove it, and run"):
        Agreement.read(tmp_path, "0123")


def test_what_was_not_trained_alone_is_left_out(supernet, alone, tmp_path):
    tuned = train(SPEC, "shapes", PLAIN, folder=tmp_path / "tuned", init=supernet.weights)
    for folder in (tuned.folder, supernet.folder):
        with pytest.raises(RunError, match="no finished training from random weights there"):
            check_supernet(supernet, [folder])


def test_other_recipes_are_refused(supernet, alone, tmp_path):
    other = PLAIN.but(learning_rate=0.02)
    run = train(SPEC, "shapes", other, folder=tmp_path / "other")
    with pytest.raises(RunError, match="was trained by another recipe than"):
        check_supernet(supernet, [*alone, run.folder])
    recipe = PLAIN.but(checkpoint_minutes=5, workers=1).complete()
    (run.folder / "recipe.yaml").write_text(json.dumps(recipe))
    with pytest.raises(UsageError, match="an order needs 10 at least"):
        check_supernet(supernet, [alone[0], run.folder])


def test_the_benchmark_is_of_its_own_images(supernet):
    with pytest.raises(RunError, match="was trained on other images than the topology benchmark"):
        check_supernet(supernet, benchmark=topology_benchmark())
