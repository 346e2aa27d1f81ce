"""Two processes of a training on this machine, as torchrun starts them."""

import os
import subprocess
import sys
import time
from pathlib import Path

from torch.distributed import TCPStore


def run_two(folder: Path, program: str, *arguments: str) -> list[str]:
    """Run a program in two processes, which may import what tests import; what each printed.

    It has to end by itself where it hangs.
    """
    tests = Path(__file__).parent
    # As torchrun has it: one server, at a port that is taken from the beginning, for all groups.
    server = TCPStore("127.0.0.1", 0, None, True, wait_for_workers=False)
    shared = {
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(server.port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)]),
    }
    processes = []
    printed, errors = ([folder / f"{what} of {n}" for n in range(2)] for what in ("out", "errors"))
    for rank in range(2):
        with printed[rank].open("wb") as out, errors[rank].open("wb") as err:
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-W", "error", "-c", program, *arguments],
                    env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                    stdout=out,
                    stderr=err,
                )
            )
    codes: list[int | None] = [None, None]
    while None in codes and not any(codes):
        time.sleep(0.05)
        codes = [process.poll() for process in processes]
    for process in processes:  # one that has failed leaves the other waiting
        process.kill()
    told = [path.read_text("utf-8") for path in (*printed, *errors)]
    assert codes == [0, 0], "\n".join(told)
    return told[:2]
