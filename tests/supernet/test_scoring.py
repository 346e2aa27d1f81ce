"""Scores and weights of sub-networks, without training."""

import csv
import shutil

import pytest
import torch

from gridgen.emit import load_network
from gridgen.emit.sharing import copied_subnetwork, recalibrate
from gridgen.errors import RunError, SpecError, UsageError
from gridgen.grid import build_grid
from gridgen.supernet.scoring import (
    SCORES,
    SubnetworkScorer,
    score_subnetworks,
    take_subnetwork,
)
from gridgen.training import evaluate, export_model, open_model
from gridgen.training.run.folder import Run
from tests.supernet.conftest import SPEC

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
    from gridgen.emit import GridNetwork

    spec = SPEC.but(total_dropout=0.9, topology="resnet")
    torch.manual_seed(0)
    network, batch = GridNetwork(spec), torch.rand(2, 3, 8, 8)
    recalibrate(network, [batch])
    once = {name: each.clone() for name, each in network.named_buffers()}
    torch.manual_seed(1)
    recalibrate(network, [batch])
    assert all(torch.equal(each, once[name]) for name, each in network.named_buffers())


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


@pytest.mark.parametrize("text", ["weights,val_iou\n1,2\n", "\0", "weights,network\n,\n"])
def test_a_damaged_table_is_told(copy, text):
    (copy.folder / SCORES).write_text(text)
    with pytest.raises(RunError, match=r"subnetworks.csv: damaged: .*; remove it, and the scores"):
        score_subnetworks(copy, [UNET])


def test_what_is_no_sub_network_is_refused_before_any_is_scored(copy):
    with pytest.raises(SpecError, match="base_channels is 8, but the whole network has 4"):
        score_subnetworks(copy, [UNET, SPEC.but(base_channels=8)])
    assert not (copy.folder / SCORES).exists()


def test_the_run_of_one_network_has_no_sub_networks(alone):
    with pytest.raises(UsageError, match="is the training of one network; name the run of"):
        score_subnetworks(alone[0], [UNET])


def test_weights_that_are_missing_are_told(copy):
    copy.weights.unlink()
    with pytest.raises(RunError, match=r"weights.safetensors is missing; gridgen train --resume"):
        score_subnetworks(copy, [UNET])
