"""The table of trained sub-topologies: what it holds, and how it is looked up."""

import csv
from io import StringIO

import numpy as np
import pytest

from gridgen import GridSpec, Study, count, paths, receptive_field, subtopologies
from gridgen.errors import SpecError
from gridgen.project.shipped import shipped
from gridgen.tabular import topology_benchmark
from gridgen.tabular.table import (
    COSTS,
    IMAGE,
    NETWORKS,
    PROXIES,
    SPEC,
    SPLITS,
    TRAININGS,
    read_rows,
    read_trainings,
    trainings_text,
)
from tests.tabular.made import EPOCHS, made_up

benchmark = topology_benchmark()


def test_the_networks_are_all_subtopologies_of_the_grid():
    listed = [(row["topology"], tuple(row["connections"].split())) for row in read_rows(NETWORKS)]
    assert listed == [(each.name, each.connections) for each in subtopologies(SPEC)]
    assert len(listed) == 279


@pytest.mark.parametrize("place", range(0, 279, 9))
def test_the_costs_are_what_is_counted(place):
    for row in read_rows(NETWORKS)[place : place + 9]:
        grid = SPEC.but(topology={"keep": row["connections"].split()})
        counted = count(grid, IMAGE)
        assert {name: int(row[name]) for name in COSTS} == {
            "parameters": counted.parameters.total,
            "macs": counted.macs.total,
            "activations": counted.activations.total,
            "receptive_field": receptive_field(grid),
            "paths": paths(grid).total,
        }


def test_the_study_that_made_the_table_trains_the_benchmarks_grid():
    study = Study.load(shipped()["studies/every-topology.yaml"])
    assert GridSpec(**study.common) == SPEC
    assert (study.space, study.seeds) == ({"topology": "every"}, (0, 1))
    every = study.training.validate_every
    assert benchmark.epochs == tuple(range(every, study.training.epochs + 1, every))


def test_every_topology_of_the_table_has_both_seeds_and_a_proxy():
    assert benchmark.seeds == (0, 1)
    assert {row["topology"] for row in read_rows(PROXIES)} >= set(benchmark)
    keys = [(each.topology, each.seed) for each in read_trainings(TRAININGS)]
    assert len(keys) == len(set(keys))


def test_the_scores_are_shares_and_the_curves_are_whole():
    for split in SPLITS:
        scores = benchmark.array(split)
        assert scores.shape == (len(benchmark), 2, len(benchmark.epochs))
        assert np.all((scores > 0) & (scores < 1))


def test_a_table_that_is_written_again_is_the_same():
    text = TRAININGS.read_text("utf-8")
    assert trainings_text(read_trainings(TRAININGS)) == text
    assert next(iter(csv.DictReader(StringIO(text))))["machine"]


def test_an_entry_is_found_by_its_spec_and_tells_its_network():
    made = made_up()
    unet = made.of(SPEC.but(topology="unet"))
    assert made[unet.name] is unet
    assert set(unet.spec.topology.keep) == set(unet.connections)
    assert made.of(unet.spec) is unet
    assert unet.mean("val") == pytest.approx(np.mean([t.score("val") for t in unet.trainings]))
    assert made.scores[unet.name, "holdout", 1, 40] == unet.trainings[1].curves["holdout"][40]


@pytest.mark.parametrize("change", [{"streams": 4}, {"base_channels": 16}, {"classes": 3}])
def test_another_network_is_refused(change):
    with pytest.raises(SpecError, match="sub-topologies of 3 streams, 2\\+2 columns, F0 = 8"):
        made_up().of(SPEC.but(**change))


def test_a_network_that_is_not_trained_is_refused():
    with pytest.raises(SpecError, match="has not trained a7cd6f2fc04a"):
        made_up(most=3).of(SPEC)


def test_epochs_and_seeds_are_those_that_all_have():
    assert made_up().epochs == EPOCHS
    assert made_up(seeds=3).seeds == (0, 1, 2)
