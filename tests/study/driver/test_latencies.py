"""Studies that hold scores against latency: measured once, while nothing runs, and kept."""

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import ClassVar

import pytest
from layer_tables import table
from study.fakes import Scores, no_training, rows, study

from gridgen import repair_study, study_best
from gridgen.analysis import count
from gridgen.cli.app import run
from gridgen.errors import RunError, SpecError, TrainingError
from gridgen.grid import build_grid
from gridgen.spec.document import dump
from gridgen.study import Study, search
from gridgen.study.driver import latencies
from gridgen.study.driver.dry_run import sampled
from gridgen.study.driver.writing import ended
from gridgen.study.engine.engine import FunctionEngine
from gridgen.study.language.objectives import latency_text
from gridgen.study.report.observer import SearchObserver
from gridgen.study.store import repairing
from gridgen.study.store.recovering import FoundRun
from gridgen.study.store.standing import study_trials
from gridgen.training.loop.latency import Latency

ASKED = study(
    against=["latency"], latency={"size": "32x32"}, budget={"size": [32, 32]}, sampler="random"
)


class Meter:
    """A meter that times nothing: a network takes as long as its operations are many."""

    measured: ClassVar[list[str]] = []
    machine_name, speed = "cpu, here", 1.0

    def __init__(self, setting):
        self.setting, self.machine, self.reference = setting, "", 0.0

    def begin(self):
        self.machine, self.reference = Meter.machine_name, 0.01 * Meter.speed

    def time(self, network):
        Meter.measured.append(network)
        ratio = count(build_grid(network), (32, 32)).macs.total / 1e6
        if network.base_channels == 8 and Meter.machine_name == "broken":
            raise TrainingError("memory ran out where its latency is measured")
        return Latency(ratio, ratio * 0.9, ratio * 1.1, 0.01 * Meter.speed)

    def close(self):
        pass


@pytest.fixture(autouse=True)
def _fake(monkeypatch):
    Meter.measured, Meter.machine_name, Meter.speed = [], "cpu, here", 1.0
    monkeypatch.setattr(latencies, "LatencyMeter", Meter)
    monkeypatch.setattr("gridgen.study.driver.writing.write_page", lambda result: None)


def test_every_candidate_has_its_latency_and_each_network_is_measured_once(tmp_path):
    result = search(ASKED, folder=tmp_path, trials=8, evaluate=Scores())
    costs = [each.candidate.costs for each in result.entries]
    for each in costs:
        assert each["latency"] == round(each["macs"] / 1e6 * 1e4)
    assert len(Meter.measured) == 8
    assert {"latency"} <= rows(tmp_path)[0].keys()
    search(ASKED, folder=tmp_path, trials=8, evaluate=no_training)
    assert len(Meter.measured) == 8


def test_times_are_told_by_the_reference_as_it_was_first(tmp_path):
    search(ASKED, folder=tmp_path, trials=2, evaluate=Scores())
    Meter.speed = 3.0
    result = search(ASKED, folder=tmp_path, trials=8, evaluate=Scores())
    for each in result.entries:
        expected = round(each.candidate.costs["macs"] / 1e6 * 1e4)
        assert each.candidate.costs["latency"] == expected


def test_what_is_over_the_limit_is_refused_without_training(tmp_path):
    limit = 40.0
    asked = ASKED.but(latency={"size": "32x32", "at_most": limit})
    result = search(asked, folder=tmp_path, trials=8, evaluate=Scores())
    latency = [each.candidate.costs["latency"] for each in result.entries]
    assert 0 < len(latency) < 8
    assert max(latency) <= 1000 * limit
    (reason,) = result.asked.refused
    assert reason == "latency is more than 40 ms"


def test_a_network_that_cannot_be_measured_is_refused(tmp_path):
    Meter.machine_name = "broken"
    result = search(ASKED, folder=tmp_path, trials=8, evaluate=Scores())
    assert len(result.entries) == 4
    assert any("memory ran out" in reason for reason in result.asked.refused)


def test_trainings_are_held_still_meanwhile(tmp_path, monkeypatch):
    held = []

    @contextmanager
    def quiet(self):
        before = len(Meter.measured)
        yield
        held.append(len(Meter.measured) - before)

    monkeypatch.setattr(FunctionEngine, "quiet", quiet)
    search(ASKED, folder=tmp_path, trials=3, evaluate=Scores())
    # Once for the reference, then once for each.
    assert held == [0, 1, 1, 1]


def test_baselines_are_measured_too(tmp_path):
    asked = ASKED.but(baselines=["unet", "random"])
    search(asked, folder=tmp_path, trials=3, evaluate=Scores())
    assert all("latency" in each.candidate.costs for each in study_trials(tmp_path))


def test_a_baseline_that_cannot_be_measured_is_left_out(tmp_path):
    Meter.machine_name = "broken"
    asked = ASKED.but(baselines=["unet"])
    search(asked, folder=tmp_path, trials=2, evaluate=Scores())
    assert [each.role for each in study_trials(tmp_path)] == ["searched"] * 2


def test_where_nothing_can_be_measured_the_search_ends(tmp_path, monkeypatch):
    def broken(self):
        raise TrainingError("the process that measures its latency ended")

    monkeypatch.setattr(Meter, "begin", broken)
    with pytest.raises(TrainingError, match="the process that measures"):
        search(ASKED, folder=tmp_path, trials=2, evaluate=no_training)


def test_on_another_machine_all_is_measured_anew_and_told_on_one_scale(tmp_path):
    search(ASKED, folder=tmp_path, trials=2, evaluate=Scores())
    Meter.machine_name, Meter.speed = "cuda, there", 0.1
    found = search(ASKED, folder=tmp_path, trials=3, evaluate=Scores()).entries
    costs = [each.candidate.costs for each in found]
    assert all(each["latency"] == round(each["macs"] / 1e6 * 1e4) for each in costs)
    search(ASKED, folder=tmp_path, trials=3, evaluate=Scores())
    table = (tmp_path / "latency.csv").read_text("utf-8").splitlines()
    assert [line.split('"')[1] for line in table[1:]] == ["cpu, here"] * 2 + ["cuda, there"]


def test_a_damaged_table_is_one_line(tmp_path):
    search(ASKED, folder=tmp_path, trials=2, evaluate=Scores())
    (tmp_path / "latency.csv").write_text("network,machine\na,b\n", "utf-8")
    with pytest.raises(RunError, match=r"damaged: .*remove it") as caught:
        search(ASKED, folder=tmp_path, trials=3, evaluate=Scores())
    assert "\n" not in str(caught.value)


def test_a_lost_record_takes_its_latency_with_it(tmp_path, monkeypatch):
    result = search(ASKED, folder=tmp_path, trials=2, evaluate=Scores())
    runs = FoundRun(replace(result.entries[0].candidate, costs={}), [])
    monkeypatch.setattr(repairing, "candidate_of_runs", lambda *_: runs)
    with closing(sqlite3.connect(tmp_path / "study.db")) as database, database:
        database.execute("DELETE FROM trial_user_attributes WHERE key = 'candidate'")
    assert repair_study(tmp_path).whole == 0
    search(ASKED, folder=tmp_path, trials=2, evaluate=Scores())


def test_the_best_under_a_latency(tmp_path, capsys):
    result = search(ASKED, folder=tmp_path, trials=8, evaluate=Scores())
    times = sorted(each.candidate.costs["latency"] for each in result.entries)
    middle = times[3] / 1000
    found = study_best(tmp_path, latency=middle)
    assert found.candidate.costs["latency"] <= times[3]
    within = [e for e in result.entries if e.candidate.costs["latency"] <= times[3]]
    assert found.number == within[0].number
    with pytest.raises(RunError, match="at most, the quickest"):
        study_best(tmp_path, latency=0.001)
    assert run(["study", str(tmp_path), "best", "--under", f"latency={middle}ms"]) == 0
    assert within[0].candidate.name in capsys.readouterr().out
    for wrong in ("fast", "-1ms", "nan"):
        assert run(["study", str(tmp_path), "best", "--under", f"latency={wrong}"]) == 2
        assert "write milliseconds, 20ms" in capsys.readouterr().err


def test_what_a_table_predicts_to_be_far_over_is_not_even_measured(tmp_path):
    times = tmp_path / "times.yaml"
    times.write_text(dump(table(machine="cpu, here")), "utf-8")
    section = {"size": "32x32", "table": str(times)}
    seconds = sorted(
        table().seconds(build_grid(each.network), (32, 32)) for each in sampled(ASKED, 8).candidates
    )
    # The table was wrong by a fifth: what is a little over has to be measured.
    limit = 1000 * seconds[3] / 1.1
    asked = ASKED.but(latency={**section, "at_most": limit})
    Meter.speed = 1e-4  # so that none is over the limit that the table lets through
    result = search(asked, folder=tmp_path / "search", trials=8, evaluate=Scores())
    far = f"latency is predicted to be more than {limit:g} ms"
    over = sum(1000 * each / 1.2 > limit for each in seconds)
    assert result.asked.refused[far] == over
    assert 0 < over < 8
    assert len(Meter.measured) == 8 - over
    found = sampled(asked, 8)
    assert found.refused[far] == over
    costs = {each.costs["latency"] for each in found.candidates}
    assert costs == {round(1e6 * each) for each in seconds[: 8 - over]}


def with_table(folder, at_most, **fields):
    (folder / "times.yaml").write_text(dump(table(**fields)), "utf-8")
    section = {"size": "32x32", "table": str(folder / "times.yaml"), "at_most": at_most}
    return ASKED.but(latency=section)


def test_a_baseline_over_the_limit_is_left_out(tmp_path):
    section = {"size": "32x32", "at_most": 1e-6}
    asked = ASKED.but(baselines=["unet"], latency=section)
    told = []

    class Told(SearchObserver):
        def noted(self, line):
            told.append(line)

    nearest = r"no candidate meets it; nearest is .*F0 = 4, with .* ms; loosen the limit"
    with pytest.raises(SpecError, match=nearest):
        search(asked, folder=tmp_path, trials=2, evaluate=no_training, watch=Told())
    assert not study_trials(tmp_path)
    (line,) = [each for each in told if each.startswith("baseline ")]
    assert line.endswith(" is left out: latency is more than 1e-06 ms")


def test_a_table_of_another_machine_refuses_nothing(tmp_path):
    asked = with_table(tmp_path, 1e6, machine="cuda, there")
    search(asked, folder=tmp_path / "s", trials=3, evaluate=Scores())
    low = with_table(tmp_path, 1e-6, machine="cuda, there")
    with pytest.raises(SpecError, match="no candidate meets it"):
        search(low, folder=tmp_path / "t", trials=3, evaluate=Scores())
    assert [*ended(tmp_path / "t")["refused"]] == ["latency is more than 1e-06 ms"]


def test_the_table_is_no_part_of_what_the_study_is(tmp_path, monkeypatch):
    asked = with_table(tmp_path, 1e6, machine="cpu, here")
    search(asked, folder=tmp_path / "s", trials=1, evaluate=Scores())
    monkeypatch.chdir(tmp_path)
    nearer = asked.but(latency={**asked.latency.plain(), "table": "times.yaml"})
    search(nearer, folder=tmp_path / "s", trials=2, evaluate=Scores())
    kept = Study.load(tmp_path / "s" / "study.yaml")
    assert kept.latency.table == str(tmp_path / "times.yaml")


def test_a_table_of_another_setting_is_refused_with_its_line(tmp_path, capsys):
    (tmp_path / "times.yaml").write_text(dump(table(threads=2)), "utf-8")
    told = """
data: shapes
spec: {classes: 3, columns: 1+1, base_channels: 4}
space: {streams: [2, 3]}
recipe: demo
latency:
  size: 32x32
  table: times.yaml
"""
    (tmp_path / "study.yaml").write_text(told, "utf-8")
    assert run(["search", str(tmp_path / "study.yaml"), "-o", str(tmp_path / "s")]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path / 'study.yaml'}:8:" in said
    assert "was measured with threads 2, and latency has 1; measure it so" in said
    assert not (tmp_path / "s").exists()
    (tmp_path / "times.yaml").unlink()
    assert run(["search", str(tmp_path / "study.yaml"), "--dry-run"]) == 2
    assert "times.yaml: No such file" in capsys.readouterr().err


def test_sampling_without_training_measures_nothing():
    assert len(sampled(ASKED, 8).candidates) == 8
    assert not Meter.measured


def test_latency_has_to_be_of_something():
    with pytest.raises(SpecError, match="add the section latency"):
        study(against=["latency"])
    assert latency_text(1_234_567) == "1,235 ms"
