"""The table of trained sub-topologies: what it holds, and how it is looked up."""

import csv
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from gridgen import GridSpec, Study, count, load_spec, paths, receptive_field, subtopologies
from gridgen.errors import FileError, SpecError, UsageError
from gridgen.project.shipped import shipped
from gridgen.tabular import TopologyBenchmark, table, topology_benchmark
from gridgen.tabular.table import COSTS, IMAGE, NETWORKS, PROXIES, SPEC
from gridgen.tabular.trainings import SPLITS, TRAININGS, read_rows, read_trainings, trainings_text
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
    assert made.of("unet") is unet
    assert made[unet.name] is unet
    assert set(unet.spec.topology.keep) == set(unet.connections)
    assert made.of(unet.spec) is unet
    assert unet.mean("val") == pytest.approx(np.mean([t.score("val") for t in unet.trainings]))
    assert made.scores[unet.name, "holdout", 1, 40] == unet.trainings[1].curves["holdout"][40]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"streams": 4}, "streams is 4, but 3 in the benchmark; begin with benchmark.spec"),
        ({"total_dropout": 0.1}, "total_dropout is 0.1, but 0.0 in the benchmark"),
    ],
)
def test_another_network_is_refused_with_what_differs(change, said):
    with pytest.raises(SpecError, match=said):
        made_up().of(SPEC.but(**change))
    with pytest.raises(SpecError, match="unet-2015 is no sub-topology"):
        made_up().of(load_spec("unet-2015"))


def test_what_the_table_does_not_hold_is_said_in_one_line():
    made = made_up(most=3)
    with pytest.raises(SpecError, match=r"the benchmark has no topology .*; of.* finds a spec"):
        made["unet"]
    for asked, said in (("unet", r"unet \([0-9a-f]{12}\)"), (SPEC, "[0-9a-f]{12}")):
        with pytest.raises(SpecError, match=f"^{said} is none of the 3 topologies that are tr"):
            made.of(asked)
    assert made.get("unet") is None  # a mapping as any other
    with pytest.raises(UsageError, match=r"unknown name .mac.; did you mean .macs."):
        made.costs("mac")
    with pytest.raises(UsageError, match="needs two topologies at least, not 0"):
        TopologyBenchmark(())


@pytest.mark.parametrize("left", [0, 1])
def test_a_topology_that_lacks_a_seed_is_no_part_of_a_benchmark(left, monkeypatch, tmp_path):
    first, *others = made_up(most=3).values()
    alone = replace(first, trainings=first.trainings[left : left + 1])
    with pytest.raises(UsageError, match=rf"{first.name} was not trained with each of the seeds"):
        TopologyBenchmark((alone, *others))
    rows = [row for each in (alone, *others) for row in each.trainings]
    monkeypatch.setattr(table, "TRAININGS", tmp_path / "trainings.csv")
    table.TRAININGS.write_text(trainings_text(rows), "utf-8")
    assert {*topology_benchmark()} == {each.name for each in others}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda head, row: [head, row + ",1"], ":2: damaged: it has more or fewer values"),
        (lambda head, row: [head, row[:-9]], ":2: damaged: it has more or fewer values"),
        (lambda head, row: [head, row, row], ":3: damaged: .* has seed 0 twice; remove the line"),
        (lambda head, row: [head.replace("seed", "seeds"), row], ":1: no column 'seed'; install"),
        (lambda head, row: [head.replace("val@10", "test@10"), row], "no column 'test'"),
        (lambda head, row: [head, row.replace("0.", "5.")], r"val@10 is 5\.\d+, which is no sh"),
    ],
)
def test_a_damaged_row_is_named(change, said, tmp_path):
    lines = trainings_text([*made_up(most=2).trainings]).splitlines()
    path = tmp_path / "trainings.csv"
    path.write_text("\n".join(change(*lines[:2])) + "\n", "utf-8")
    with pytest.raises(FileError, match=said):
        read_trainings(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match="install gridgen again"):
        read_trainings(path)


def test_means_are_of_the_seeds_that_all_have():
    made = made_up(noise=0.0, seeds=3)
    assert made.seeds == (0, 1)
    assert made.means().max() == made_up(noise=0.0).means().max() < 0.5
    assert len({*(len(each.trainings) for each in made.values())}) == 2


def test_epochs_are_those_that_all_have():
    assert made_up().epochs == EPOCHS
    first, *others = made_up(most=3).values()
    one, two = first.trainings
    longer = replace(one, curves={split: {**each, 50: 0.5} for split, each in one.curves.items()})
    for trainings in ((longer, two), (two, longer)):
        made = TopologyBenchmark((replace(first, trainings=trainings), *others))
        assert made.epochs == EPOCHS


def test_what_is_shown_is_short_and_the_digest_is_that_of_the_scores():
    benchmark = made_up(noise=0.0)
    entry = next(iter(benchmark.values()))
    for each in (benchmark, entry, entry.trainings[0]):
        assert len(repr(each)) < 300
        assert each._repr_html_().startswith("<table>")
    assert made_up(noise=0.0).digest == benchmark.digest != made_up(noise=0.1).digest
    assert benchmark.of(entry.name) is benchmark[entry.name] is entry


def test_the_table_is_cited_by_its_digest():
    page = Path(__file__).parents[2] / "benchmarks" / "topologies" / "README.md"
    assert f"`{benchmark.digest}`" in page.read_text("utf-8")


def test_channels_that_double_are_those_of_base_channels():
    spec = SPEC.by_base_channels().complete() | {"channels": [8, 16, 32]}
    del spec["base_channels"]
    benchmark = made_up(noise=0.0)
    assert benchmark.of(GridSpec(**spec)) is benchmark.of(SPEC)
