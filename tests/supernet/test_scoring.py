"""Scores and weights of sub-networks, without training."""

import csv
import json
import shutil
import subprocess
import sys
from random import Random

import numpy as np
import pytest
import torch

from gridgen.analysis import count
from gridgen.emit import GridNetwork, load_network
from gridgen.emit.sharing import SharedSubnetwork, copied_subnetwork, recalibrate
from gridgen.errors import RunError, SpecError, UsageError
from gridgen.export import export_network
from gridgen.grid import GridSpec, build_grid
from gridgen.grid.subtopologies import Subtopology
from gridgen.space import Budget
from gridgen.supernet.check import check_supernet
from gridgen.supernet.choosing import supernet_front
from gridgen.supernet.plan import train_supernet
from gridgen.supernet.scoring import (
    SCORES,
    SubnetworkScorer,
    score_subnetworks,
    take_subnetwork,
)
from gridgen.training import evaluate, export_model, open_model
from gridgen.training.run.folder import Run
from tests.folders import lay
from tests.supernet.conftest import RECIPE, SPEC

UNET = SPEC.but(topology="unet", base_channels=2)


@pytest.fixture
def copy(supernet, tmp_path) -> Run:
    shutil.copytree(supernet.folder, tmp_path / "run")
    (tmp_path / "run" / SCORES).unlink(missing_ok=True)
    return Run.open(tmp_path / "run")


def test_the_score_is_that_of_the_network_that_is_taken_away(copy, tmp_path):
    (found,) = score_subnetworks(copy, [UNET])
    path = export_model(take_subnetwork(copy, UNET), tmp_path / "unet.safetensors")
    evaluated = evaluate(path, "shapes", baseline=False)
    assert found.scores["val_iou"] == pytest.approx(evaluated.network.value, abs=1e-6)
    assert found.costs["parameters"] == sum(p.numel() for p in load_network(path).parameters())
    assert found.name == "unet, F0 = 2"


def test_what_is_taken_away_knows_its_classes_and_where_it_is_from(copy, tmp_path):
    path = export_model(take_subnetwork(copy, UNET), tmp_path / "unet.safetensors")
    model = open_model(path)
    assert model.task.classes == copy.task.classes
    assert model.spec == UNET
    assert model.note == "of a supernet, recalibrated by 2 batches"
    assert not model.untrained


def test_statistics_are_means_over_the_batches(supernet):
    network = copied_subnetwork(supernet.network(), build_grid(UNET))
    batches = [torch.rand(3, 3, 8, 8), 2 * torch.rand(3, 3, 8, 8)]
    recalibrate(network, batches)
    assert not any(module.training for module in network.modules())
    first = network.stem[0]
    assert isinstance(first, torch.nn.BatchNorm2d)
    means = torch.stack([batch.mean((0, 2, 3)) for batch in batches]).mean(0)
    assert torch.allclose(first.running_mean, means, atol=1e-6)
    assert first.momentum == 0.1


def test_total_dropout_is_off_while_statistics_are_made_anew():
    spec = SPEC.but(topology="resnet")
    plain, dropping = GridNetwork(spec), GridNetwork(spec.but(total_dropout=0.9))
    dropping.load_state_dict(plain.state_dict())
    for network in (plain, dropping):
        recalibrate(network, [torch.ones(2, 3, 8, 8).cumsum(2)])
    found = dict(dropping.named_buffers())
    assert all(torch.equal(each, found[name]) for name, each in plain.named_buffers())


def test_a_score_is_found_once(copy, monkeypatch):
    first = score_subnetworks(copy, [UNET, SPEC])
    monkeypatch.setattr(SubnetworkScorer, "_measured", None)  # which would fail if called
    again = score_subnetworks(copy, [SPEC, UNET])
    assert [each.scores for each in again] == [each.scores for each in reversed(first)]
    assert [each.costs for each in again] == [each.costs for each in reversed(first)]


def test_scores_of_other_weights_are_not_taken(copy):
    score_subnetworks(copy, [UNET])
    path = copy.folder / SCORES
    (row,) = csv.DictReader(path.read_text("utf-8").splitlines())
    path.write_text(path.read_text("utf-8").replace(row["weights"], "0123456789ab"))
    score_subnetworks(copy, [UNET])
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    assert [each["weights"] for each in rows] == ["0123456789ab", row["weights"]]
    assert rows[0]["val_iou"] == rows[1]["val_iou"]


def test_two_commands_keep_the_scores_of_both(copy):
    first, second = SubnetworkScorer(copy), SubnetworkScorer(copy)
    for scorer in (first, second):
        assert not [*scorer._kept.connections]  # both have read the table before either writes
    first.score([build_grid(UNET)])
    second.score([build_grid(SPEC)])
    rows = list(csv.DictReader((copy.folder / SCORES).read_text("utf-8").splitlines()))
    assert len({row["network"] for row in rows}) == 2


DAMAGED = [
    *("weights,val_iou\n1,2\n", "\0", "weights,network\n,\n"),
    *("weights,network\n1,2,3\n", "weights,network,val_iou\n1,2\n"),
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_table_is_told(copy, text):
    (copy.folder / SCORES).write_text(text)
    with pytest.raises(RunError, match=r"subnetworks.csv: damaged: .*; remove it, and the scores"):
        score_subnetworks(copy, [UNET])


def test_what_is_no_sub_network_is_refused_before_any_is_scored(copy):
    with pytest.raises(SpecError, match="base_channels is 8, but the whole network has 4"):
        score_subnetworks(copy, [UNET, SPEC.but(base_channels=8)])
    assert not (copy.folder / SCORES).exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base_channels": 3}, "base_channels is 3, which was not trained; give one of 2, 4"),
        ({"columns": "1+1"}, "columns is '1.1', but '1.2' in the whole network"),
    ],
)
def test_what_was_not_trained_is_refused(copy, changes, said):
    with pytest.raises(SpecError, match=said):
        take_subnetwork(copy, SPEC.but(**changes))


def test_topologies_that_were_not_listed_are_refused(tmp_path):
    recipe = RECIPE.but(supernet={"topologies": ["gridnet", "resnet"]})
    run = train_supernet(SPEC, "shapes", recipe, folder=tmp_path / "run")
    assert len(score_subnetworks(run, [SPEC, SPEC.but(topology="resnet")])) == 2
    with pytest.raises(SpecError, match="none of the 2 topologies that were trained"):
        score_subnetworks(run, [SPEC.but(topology="conv-deconv")])
    with pytest.raises(SpecError, match="F0 is 2, and 4 alone was trained"):
        score_subnetworks(run, [SPEC.but(base_channels=2)])


def test_the_whole_network_is_one_of_them_though_no_list_has_it(tmp_path):
    recipe = RECIPE.but(supernet={"topologies": ["conv-deconv", "resnet"]})
    run = train_supernet(SPEC, "shapes", recipe, folder=tmp_path / "run")
    assert "val_iou" in score_subnetworks(run, [run.spec])[0].scores
    assert len(supernet_front(run).scored) == supernet_front(run).number == 3
    whole = build_grid(run.spec)
    known = SubnetworkScorer(run).known_topologies()
    assert Subtopology.of(whole) in known


def test_images_that_are_seen_through_windows_may_have_any_size(tmp_path):
    files = {
        f"{split}/{kind}/{name}.png": np.full((18, 18, 3)[:number], len(name) % 2, np.uint8)
        for split in ("train", "val")
        for kind, number in (("images", 3), ("labels", 2))
        for name in ("a", "bb")
    }
    data = str(lay(tmp_path / "data", files))
    spec = GridSpec(streams=3, columns="1+1", base_channels=2, classes=2, size="error")
    recipe = RECIPE.but(batch=2, supernet={}, inference={"window": 16})
    run = train_supernet(spec, data, recipe, folder=tmp_path / "run")
    (found,) = score_subnetworks(run, [run.spec])
    assert found.costs["macs"] == count(spec, (20, 20)).macs.total
    assert supernet_front(run, budget=Budget(macs="1G")).scored


def test_fifty_files_compute_what_the_supernet_does(copy, tmp_path):
    networks = SubnetworkScorer(copy).networks
    whole, images = copy.network().train(), torch.rand(2, 3, 16, 24)
    random = Random(0)
    for number in range(50):
        spec = networks.spec(networks.draw(random))
        path = export_model(take_subnetwork(copy, spec), tmp_path / f"{number}.safetensors")
        taken = load_network(path).train()  # by the statistics of the batch, as in its steps
        shared = SharedSubnetwork(whole, build_grid(spec))
        assert torch.allclose(taken(images), shared(images), rtol=0, atol=1e-6)


def test_the_source_of_what_is_taken_computes_the_same_without_gridgen(copy, tmp_path):
    path = export_model(take_subnetwork(copy, UNET), tmp_path / "taken.safetensors")
    export_network(open_model(path), tmp_path / "taken.py")
    images = torch.rand(1, 3, 16, 24)
    torch.save(images, tmp_path / "images.pt")
    program = """
import sys
import torch
from safetensors.torch import load_file
from taken import Network
network = Network()
network.load_state_dict(load_file("taken.safetensors"))
torch.save(network.eval()(torch.load("images.pt")), "answer.pt")
assert "gridgen" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    answer = torch.load(tmp_path / "answer.pt")
    assert torch.allclose(answer, load_network(path)(images), rtol=0, atol=1e-6)


def test_scores_of_another_recalibration_are_not_taken(copy):
    (first,) = score_subnetworks(copy, [UNET])
    recipe = copy.folder / "recipe.yaml"
    recipe.write_text(recipe.read_text("utf-8").replace("recalibration: 2", "recalibration: 1"))
    (again,) = score_subnetworks(copy, [UNET])
    assert again.scores != first.scores


def test_the_run_of_one_network_has_no_sub_networks(alone):
    with pytest.raises(UsageError, match="is the training of one network; name the run of"):
        score_subnetworks(alone[0], [UNET])


def test_a_training_that_is_not_at_its_end_is_told(copy):
    assert SubnetworkScorer(copy).unfinished == ""
    path = copy.folder / "recipe.yaml"
    path.write_text(json.dumps(copy.recipe.but(epochs=3).complete()), "utf-8")
    told = f"trained for 1 of 3 epochs so far; gridgen train --resume {copy.folder} goes on"
    assert SubnetworkScorer(copy.folder).unfinished == told
    with pytest.raises(RunError, match="trained for 1 of 3 epochs so far; gridgen train --resume"):
        check_supernet(copy.folder, [copy.folder])


def test_weights_that_are_missing_are_told(copy):
    copy.weights.unlink()
    with pytest.raises(RunError, match=r"weights.safetensors is missing; gridgen train --resume"):
        score_subnetworks(copy, [UNET])
