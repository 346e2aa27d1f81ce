"""What a field of the spec costs: the paper's network, and the same with one field changed.

    python -m benchmarks.variants [--device cuda] [--side 400] [--batch 1] [--rounds 5]

Parameters and multiply-accumulates are exact, memory is the predicted peak of a step with Adam in
fp32. Times are the least of the rounds, in which all variants take turns; shares are of the
paper's network in the same run.
"""

import argparse
import platform

import torch

from benchmarks.architectures import Workload
from gridgen import GridSpec, Setting, build_grid, count, count_memory, load_spec
from gridgen.spec.network import changed
from gridgen.text import bytes_text

SEPARABLE = {f"units.{kind}": "separable" for kind in ("lateral", "subsampling", "upsampling")}
VARIANTS = {
    "the paper's": {},
    "stem: strided": {"stem": "strided"},
    "stem: strided, head: bilinear": {"stem": "strided", "head": "bilinear"},
    "units: separable": SEPARABLE,
    "units: separable, stem: strided": {**SEPARABLE, "stem": "strided"},
    "norm: instance": {"norm": "instance"},
    "norm: group": {"norm": "group"},
    "norm: none": {"norm": "none"},
    "activation: gelu": {"activation": "gelu"},
}
PASSES = ("forward", "forward_and_backward")


def spec_of(fields: dict[str, str]) -> GridSpec:
    spec = changed(load_spec("specs/gridnet.yaml"), fields)
    assert isinstance(spec, GridSpec)
    return spec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--side", type=int, default=400)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    on_gpu = options.device.startswith("cuda")
    name = torch.cuda.get_device_name() if on_gpu else f"CPU {platform.machine()}"
    print(f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}, ", end="")
    print(f"batch {options.batch} of {options.side}x{options.side} or the next legal size\n")
    print("| network | parameters | GMAC | forward s | share | forward+backward s | share ", end="")
    print("| memory of a step | share |")
    print("|---|---|---|---|---|---|---|---|---|")
    workloads = {
        name: Workload(build_grid(spec_of(fields)), options) for name, fields in VARIANTS.items()
    }
    times: dict[tuple[str, str], list[float]] = {}
    for number in range(options.rounds + 1):
        for name, workload in workloads.items():
            for what in PASSES:
                seconds = workload.once(what)
                if number:  # the first round warms up
                    times.setdefault((name, what), []).append(seconds)
    first: tuple[float, float, int] | None = None
    for name, workload in workloads.items():
        spec = spec_of(VARIANTS[name])
        counted = count(spec, workload.size)
        setting = Setting(batch=options.batch, device="cuda" if on_gpu else "cpu")
        peak = count_memory(spec, workload.size, setting).peak_training
        forward, both = (min(times[name, what]) for what in PASSES)
        first = first or (forward, both, peak)
        print(
            f"| {name} | {counted.parameters.total:,} | {counted.macs.total / 1e9:.2f} "
            f"| {forward:.3f} | {forward / first[0]:.2f} | {both:.3f} | {both / first[1]:.2f} "
            f"| {bytes_text(peak)} | {peak / first[2]:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
