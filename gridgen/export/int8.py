"""Post-training quantization of an ONNX file to int8, calibrated and scored on a dataset.

onnxruntime chooses the ranges of all maps by what images of train give (smallest and largest
values; weights by channel), and writes them into the file (QDQ). What it loses is measured: both
files' scores on the split that training was validated by.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gridgen.emit import GridNetwork
from gridgen.errors import DataError, ExportError, UsageError
from gridgen.export.onnx import quiet, runs
from gridgen.export.unseen import INPUT
from gridgen.progress import OnProgress, no_progress
from gridgen.training.bands import infer
from gridgen.training.run.model import Model
from gridgen.training.scoring.evaluation import evaluate, images_to_train
from gridgen.training.tasks.requirements import require_fit

CALIBRATED = 32
"""Images of train that ranges are chosen by."""

Batch = NDArray[np.float32]


@dataclass(frozen=True)
class LossOfPrecision:
    """The score of a network before and after quantization."""

    label: str
    before: float
    after: float

    def __str__(self) -> str:
        return f"{self.after:.4f}, {self.after - self.before:+.4f} against fp32 ({self.label})"


def require_calibrating(model: Model, data: str) -> None:
    """The data suit the network, before anything is computed. Errors: those of `evaluate`."""
    dataset = images_to_train(model, data)
    require_fit(model.spec, dataset)
    if model.named and tuple(model.task.classes) != tuple(dataset.classes):
        raise DataError(f"{data} has other classes than the network; name what it was trained on")


def quantized(raw: bytes, model: Model, data: str, on_progress: OnProgress = no_progress) -> bytes:
    """The ONNX file in int8, by `CALIBRATED` images of the data's train, as inference sees them.

    Errors: `UsageError` without onnxruntime; `ExportError`; those of the data.
    """
    try:
        from onnxruntime import quantization
    except ImportError as error:
        raise UsageError("int8 needs onnxruntime; pip install 'gridgen[onnx]'") from error

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        """Gives one batch after the other."""

        def __init__(self, batches: Iterator[Batch]) -> None:
            self.batches = batches

        def get_next(self) -> dict[str, Batch] | None:
            found = next(self.batches, None)
            return None if found is None else {INPUT: found}

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        source.write_bytes(raw)
        batches = calibration_batches(model, data, on_progress)
        try:
            with quiet():
                quantization.quantize_static(source, target, Reader(batches), per_channel=True)
        except (RuntimeError, ValueError, TypeError) as error:
            reason = str(error).strip().splitlines()
            fact = f"onnxruntime cannot quantize {model.spec.title}"
            raise ExportError(f"{fact}: {reason[0] if reason else error}; use fp32") from error
        return _with_metadata(raw, target.read_bytes())


def _with_metadata(raw: bytes, quantized: bytes) -> bytes:
    """The quantized file with what the other says of itself."""
    import onnx

    of, model = onnx.load_from_string(raw), onnx.load_from_string(quantized)
    onnx.helper.set_model_props(model, {each.key: each.value for each in of.metadata_props})
    made: bytes = model.SerializeToString(deterministic=True)
    return made


def calibration_batches(model: Model, data: str, on_progress: OnProgress) -> Iterator[Batch]:
    """What the network is given for images that it may be trained on: resized, in windows or
    mirrored, as it is.
    """
    dataset, inference = images_to_train(model, data), model.chosen_inference()
    number = min(CALIBRATED, len(dataset))
    given: list[Batch] = []
    hook = model.network.register_forward_pre_hook(lambda _, args: given.append(args[0].numpy()))
    try:
        for index in range(number):
            infer(model.network, dataset[index].image, inference)
            yield from given
            given.clear()
            on_progress(index + 1, number)
    finally:
        hook.remove()


def loss_of(
    raw: bytes, model: Model, data: str, on_progress: OnProgress = no_progress
) -> LossOfPrecision:
    """Scores of the model and of an ONNX file in its place, on what training scored as val."""
    import onnxruntime

    session = onnxruntime.InferenceSession(raw)
    scores = []
    for network in (model.alone, SessionNetwork(model.alone, session)):
        seen = replace(model, network=network)
        scores.append(evaluate(seen, data, baseline=False, device="cpu", on_progress=on_progress))
    label = f"{next(iter(scores[0].network.numbers()))} on {scores[0].split}"
    return LossOfPrecision(label, *(each.network.value for each in scores))


class SessionNetwork(GridNetwork):
    """A network whose predictions are those of a session of onnxruntime."""

    def __init__(self, network: GridNetwork, session: Any) -> None:
        super().__init__(network.grid)
        self.runs = runs(session)

    def forward(self, images: Tensor, features: Sequence[Tensor | None] | None = None) -> Tensor:
        """(N, C, H, W) -> (N, K, H, W)."""
        return self.runs(images.to(torch.float32))
