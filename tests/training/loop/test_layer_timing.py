"""Measuring layer times: a table that is whole, and networks that were held out."""

import json
from random import Random

import pytest
import torch

from gridgen import LayerTimes
from gridgen.cli.app import run
from gridgen.errors import DeviceError
from gridgen.spec.document import dump
from gridgen.training.loop import layer_timing
from gridgen.training.loop.layer_timing import calibrate_latency, drawn_network


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    for name, value in {
        "CHANNELS": (2, 4),
        "SIDES": (4, 8),
        "VALUES": (256, 1024),
        "FITTED": 2,
        "HELD_OUT": 2,
        "IMAGES": ((16, 16),),
        "MOST_MACS": 2_000,
    }.items():
        monkeypatch.setattr(layer_timing, name, value)


def test_a_table_is_whole_and_predicts_something_near():
    told = []
    threads = torch.get_num_threads()
    table = calibrate_latency("cpu", on_progress=lambda done, total: told.append((done, total)))
    assert torch.get_num_threads() == threads
    assert told[-1][0] == told[-1][1] == len(told)
    assert [each.held_out for each in table.networks] == [False, False, True, True]
    assert "torch" in table.machine
    assert all(0.1 < each.seconds / each.network.seconds < 10 for each in table.predictions)
    # What is too large to be timed takes as much for each MAC as what was.
    first, second = table.convolutions["conv 3x3"][-2:]
    assert second == pytest.approx(4 * first)


def test_the_command_writes_it_and_count_reads_it(tmp_path, capsys):
    path = tmp_path / "times.yaml"
    assert run(["calibrate", "--latency", "--device", "cpu", "-o", str(path)]) == 0
    said = capsys.readouterr().out
    assert f"wrote   {path}" in said
    assert "in the middle" in said
    table = LayerTimes.load(path)
    (tmp_path / "spec.yaml").write_text(dump(drawn_network(Random(0))), "utf-8")
    asked = ["count", str(tmp_path / "spec.yaml"), "--latency", str(path)]
    assert run([*asked, "--size", "32x32", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["latency"]
    assert told["seconds"] > 0
    assert told["machine"] == table.machine
    assert run([*asked, "--size", "32x32"]) == 0
    assert "for 1 of 32x32" in capsys.readouterr().out
    assert run([*asked, "--precision", "bf16"]) == 2
    assert "was measured in fp32; leave it out" in capsys.readouterr().err


def test_options_that_belong_to_it_are_refused_without_it(capsys):
    assert run(["calibrate", "--threads", "2"]) == 2
    assert capsys.readouterr().err == (
        "--threads: it is of --latency; give that too, or leave it out\n"
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(DeviceError):
        calibrate_latency("cuda")
