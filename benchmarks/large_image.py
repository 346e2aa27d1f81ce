"""Peak memory of predicting an image of 100 megapixels through windows, of a commit and of today.

    python -m benchmarks.large_image [COMMIT] [--side 10000] [--window 512]

The image is a tiled TIFF of 8 bits and three colours, the network the smallest there is. Figures
are those of a fresh process with one thread; before is what imports and the opened network take.
"""

import argparse
import contextlib
import tempfile
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.old_and_new import ROOT, measured
from benchmarks.unchanged import checked_out

TILE = 256
PROGRAM = """
from pathlib import Path
from gridgen.training import open_model, predict
from gridgen.training.inference import Inference
folder = Path(sys.argv[1])
model, before = open_model(folder / "small.safetensors"), resident()
window = Inference(window=int((folder / "window").read_text()), weighting="gaussian")
start = time.process_time()
predict(model, [folder / "large.tif"], folder / "out", device="cpu", inference=window)
told = {"before, MB": before, "peak, MB": resident(), "CPU s": time.process_time() - start}
"""
NETWORK = """
from gridgen import GridNetwork, save_network
small = GridSpec(streams=1, columns="1+1", base_channels=2, classes=2, size="pad")
save_network(GridNetwork(build_grid(small)), sys.argv[1] + "/small.safetensors")
told = {}
"""


def write_image(path: Path, side: int) -> None:
    """A square of stripes, compressed, tile by tile."""
    ramp = np.arange(TILE, dtype=np.uint8)
    tile = np.stack(np.broadcast_arrays(ramp[:, None], ramp, ramp[::-1]), axis=2).copy()
    number = (-(-side // TILE)) ** 2
    tifffile.imwrite(
        path,
        (tile for _ in range(number)),
        shape=(side, side, 3),
        dtype=np.uint8,
        tile=(TILE, TILE),
        photometric="rgb",
        compression="zlib",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commit", nargs="?", help="commit, branch or tag to compare with")
    parser.add_argument("--side", type=int, default=10_000)
    parser.add_argument("--window", type=int, default=512)
    options = parser.parse_args()
    with contextlib.ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        codes = {"today": ROOT}
        if options.commit:
            codes = {options.commit: opened.enter_context(checked_out(options.commit)), **codes}
        write_image(Path(folder) / "large.tif", options.side)
        (Path(folder) / "window").write_text(str(options.window))
        measured(ROOT, NETWORK, folder)
        rows = {name: measured(code, PROGRAM, folder) for name, code in codes.items()}
    print(f"| code | {' | '.join(rows['today'])} |")
    print(f"|---|{'---:|' * len(rows['today'])}")
    for name, figures in rows.items():
        print(f"| {name} | {' | '.join(f'{value:,.0f}' for value in figures.values())} |")


if __name__ == "__main__":
    main()
