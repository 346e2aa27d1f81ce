"""Training with two processes under torchrun's environment (gloo, on this machine)."""

import os
import socket
import subprocess
import sys

import pytest
from tiny import PROGRAM, RECIPE, SPEC

from gridgen.training import Run, evaluate
from gridgen.training.run import dump

RESTORATION = SPEC.but(in_channels=1, classes=1)
FEW = RECIPE.but(batch=4, crop={"smallest": 8, "largest": 8, "size": 8})
TRAININGS = {
    "segmentation": (SPEC, "shapes", RECIPE),
    "restoration": (RESTORATION, "denoising:{ramps}", FEW),
    "weighted fusion": (RESTORATION.but(fusion="weighted"), "denoising:{ramps}", FEW),
}


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "data", "recipe"), TRAININGS.values(), ids=TRAININGS)
def test_two_processes_train_one_run(spec, data, recipe, ramps, tmp_path):
    data = data.format(ramps=ramps)
    (tmp_path / "spec.yaml").write_text(dump(spec))
    (tmp_path / "recipe.yaml").write_text(dump(recipe))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ("spec.yaml", "--data", data, "--recipe", "recipe.yaml", "-o", "run")
    shared = {
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "train", *arguments, "--device", "cpu"],
            cwd=tmp_path,
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        told = [process.communicate(timeout=120) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], told
    run = Run.open(tmp_path / "run")
    assert [row["epoch"] for row in run.rows()] == [1, 2, 3]
    alone = evaluate(run.folder, data, baseline=False).network.value
    assert run.rows()[-1][run.task.metric.val] == pytest.approx(alone, abs=1e-6)
