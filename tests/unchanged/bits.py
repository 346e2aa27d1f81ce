"""The bits of every network, one JSON line each, for `benchmarks.unchanged`.

`python -m tests.unchanged.bits` prints a line `{"name": ..., "seconds": ..., "observed": ...}` for
each network as soon as it is known.
"""

import json
import time

from tests.unchanged.networks import CASES
from tests.unchanged.observing import bits, observe, observe_weights
from tests.unchanged.write import CAMVID


def main() -> None:
    """All networks in the order of the table, then the weights."""
    for name in (*CASES, CAMVID):
        start = time.perf_counter()
        observed = observe_weights(bits) if name == CAMVID else observe(CASES[name], bits)
        line = {"name": name, "seconds": time.perf_counter() - start, "observed": observed}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
