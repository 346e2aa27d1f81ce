"""PSNR on the held-out images: noisy, under the best Gaussian blur, restored by a network.

    python -m benchmarks.denoising [--data denoising:PATH] [--run FOLDER]

The width of the blur is picked on those images themselves, which flatters it. `--run` is a folder
that `gridgen train --data denoising` made.
"""

import argparse

import torch
from torch import Tensor
from torch.nn import functional

from gridgen.data import Dataset, load_dataset
from gridgen.training import evaluate
from gridgen.training.tasks import Restoration

WIDTHS = [tenths / 10 for tenths in range(3, 31)]
TASK = Restoration()


def psnr(dataset: Dataset, width: float) -> float:
    """Mean over the images, each blurred first."""
    total = TASK.no_statistics()
    for index in range(len(dataset)):
        sample = dataset[index]
        total += TASK.statistics(blurred(sample.image[None], width), sample.label[None])
    return TASK.score(total).value


def blurred(image: Tensor, width: float) -> Tensor:
    """Convolved with a Gaussian of this standard deviation, mirrored at the edge; (N, C, H, W)."""
    reach = int(4 * width) + 1
    bell = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * width**2))
    bell = (bell / bell.sum()).expand(image.shape[1], 1, 1, -1)
    padded = functional.pad(image, (reach, reach, reach, reach), mode="reflect")
    rows = functional.conv2d(padded, bell, groups=image.shape[1])
    return functional.conv2d(rows, bell.mT, groups=image.shape[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="denoising")
    parser.add_argument("--run")
    options = parser.parse_args()
    val = load_dataset(options.data, "val")
    best, width = max((psnr(val, width), width) for width in WIDTHS)
    print(f"{val.name}, val: {len(val)} images\n")
    print("| image | PSNR dB |")
    print("|---|---:|")
    noisy = TASK.score_baseline(lambda: val, val, lambda *_: None).value
    print(f"| noisy | {noisy:.2f} |")
    print(f"| Gaussian blur, standard deviation {width} | {best:.2f} |")
    if options.run:
        reached = evaluate(options.run, options.data, baseline=False).network.value
        print(f"| {options.run} | {reached:.2f} |")


if __name__ == "__main__":
    main()
