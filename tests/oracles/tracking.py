"""What torch itself allocates and keeps: what predicted memory is measured by, in tests too.

`MemTracker` is private to torch, and gridgen itself does without it. It follows every storage under
`FakeTensorMode`, which runs a network without computing it. On a build of torch without CUDA the
tensors are fake ones of the CPU; the storages are the same.
"""

from dataclasses import dataclass
from unittest.mock import patch

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker

from gridgen.emit import GridNetwork
from gridgen.emit.network import CHANNELS_LAST
from gridgen.memory import Setting
from gridgen.testing.oracles import kept_by_autograd
from gridgen.training.recipe.losses import LOSSES, Truth, total_loss

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
OPTIMIZERS = {
    "sgd": lambda weights, fused: torch.optim.SGD(weights, lr=0.1, momentum=0.9, fused=fused),
    "adam": lambda weights, fused: torch.optim.Adam(weights, fused=fused),
    "adamw": lambda weights, fused: torch.optim.AdamW(weights, fused=fused),
}
PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Tracked:
    """Bytes, as `Memory` has them."""

    saved: int
    peak_training: int
    peak_inference: int


class Tracker(MemTracker):
    """Peaks of the whole alone: to keep those of each module takes most of the time."""

    def _nothing(self, *_: object) -> None:
        pass

    _pre_fw_hook = _post_fw_hook = _pre_bw_hook = _post_bw_hook = _nothing


def tracked(grid, size, setting: Setting) -> Tracked:
    """The memory of a training step and of an evaluation, which nothing computes."""
    assert setting.device == DEVICE
    with _no_unit_dropped():
        return _Tracking(grid, size, setting).run()


def tracked_loss(losses, smoothing=0.0, shape=(2, 19, 64, 64)) -> tuple[float, float]:
    """What a sum of losses keeps for its backward pass, and the most that it and that pass need.

    In sizes of the prediction, of `shape` in fp32; prediction and labels are not counted.
    """
    images, _, *sides = shape
    with FakeTensorMode(), torch.device(DEVICE):
        prediction = torch.rand(shape, requires_grad=True)
        truth = Truth(torch.zeros(images, *sides, dtype=torch.int64), None, smoothing)
        held = prediction, truth.labels
        size = prediction.untyped_storage().nbytes()
        kept = kept_by_autograd(lambda: total_loss(losses, prediction, truth), held)[1]
        tracker = Tracker()
        with tracker:
            total_loss(losses, prediction, truth).backward()
        peaks = tracker.get_tracker_snapshot("peak")
    return kept / size, sum(sizes["Total"] for sizes in peaks.values()) / size


class _Tracking:
    """One network, its images and its optimizer, none of them with values."""

    def __init__(self, grid, size, setting: Setting) -> None:
        self.setting, self.mode = setting, FakeTensorMode()
        self.network = GridNetwork(grid).train()
        self.network.recompute = setting.recompute
        _make_fake(self.network, self.mode)
        with self.mode, torch.device(DEVICE):
            shape = setting.batch, grid.spec.in_channels, *size
            layout = CHANNELS_LAST.get(len(size), torch.contiguous_format)
            self.images = torch.rand(shape).to(memory_format=layout)
            self.labels = torch.zeros(setting.batch, *size, dtype=torch.int64)
            for parameter in self.network.parameters():
                parameter.grad = torch.zeros_like(parameter)
        make = OPTIMIZERS[setting.optimizer]
        self.optimizer = make(self.network.parameters(), setting.fused)

    def run(self) -> Tracked:
        with self.mode:
            saved = _saved(self.network, self.images, self.labels, self.setting)
            self.optimizer.step()  # after which it has its state
            training = self._peak(self._step, self.network, self.optimizer)
            self.optimizer = None
            for parameter in self.network.parameters():
                parameter.grad = None
            self.network.eval()
            return Tracked(saved, training, self._peak(self._predict, self.network))

    def _peak(self, run, *held) -> int:
        tracker = Tracker()
        tracker.track_external(*held, self.images, *([self.labels] if len(held) > 1 else []))
        with tracker:
            run()
        peaks = tracker.get_tracker_snapshot("peak")
        return sum(sizes["Total"] for device, sizes in peaks.items() if device.type == DEVICE)

    def _step(self) -> None:
        prediction, loss = _loss(self.network, self.images, self.labels, self.setting)
        self.optimizer.zero_grad(set_to_none=False)
        loss.backward()
        self.optimizer.step()
        del prediction

    @torch.no_grad()
    def _predict(self) -> None:
        with _autocast(self.setting):
            self.network(self.images)


def _loss(network, images, labels, setting):
    with _autocast(setting):
        prediction = network(images)
        truth = Truth(labels, None, 0.1 if setting.smoothed else 0.0)
        losses = [LOSSES[name]() for name in setting.loss]
        return prediction, total_loss(losses, prediction, truth)


def _saved(network, images, labels, setting) -> int:
    held = *network.parameters(), *network.buffers()
    return kept_by_autograd(lambda: _loss(network, images, labels, setting), held)[1]


def _autocast(setting):
    low = setting.precision != "fp32"
    dtype = PRECISIONS.get(setting.precision, torch.bfloat16)
    return torch.autocast(DEVICE, dtype=dtype, enabled=low)


def _make_fake(network, mode) -> None:
    for module in network.modules():
        for name, value in list(module._parameters.items()):
            if value is not None:
                fake = mode.from_tensor(value.detach().to(DEVICE))
                module._parameters[name] = nn.Parameter(fake)
        for name, value in list(module._buffers.items()):
            if value is not None:
                module._buffers[name] = mode.from_tensor(value.to(DEVICE))


class _Drawn:
    def item(self) -> float:
        return 1.0


def _no_unit_dropped():
    """Total dropout's draw is 1, and no fake tensor is asked for its value."""
    draw = torch.rand
    return patch(
        "torch.rand",
        lambda *shape, **options: draw(*shape, **options) if shape != ((),) else _Drawn(),
    )
