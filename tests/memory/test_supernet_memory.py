"""What a supernet's step needs, against what torch allocates."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from gridgen.emit import GridNetwork
from gridgen.emit.sharing import SharedSubnetwork
from gridgen.grid import GridSpec, build_grid
from gridgen.memory import Setting
from gridgen.memory.accounting import training_memory
from gridgen.memory.supernet import supernet_memory
from gridgen.training.tasks import Segmentation
from tests.oracles.tracking import DEVICE, PRECISIONS, Tracker, _make_fake

SPEC = GridSpec(streams=3, columns="2+2", base_channels=8, classes=5)
SIZE = (32, 48)


def tracked_step(whole, others, setting, distillation):
    """The peak of a step as `loop/supernet.py` does it, of tensors without values."""
    mode, task = FakeTensorMode(), Segmentation(("",) * whole.spec.classes, ())
    network = GridNetwork(whole).train()
    _make_fake(network, mode)
    shared = [SharedSubnetwork(network, each) for each in others]
    with mode, torch.device(DEVICE):
        images = torch.rand(setting.batch, 3, *SIZE).to(memory_format=torch.channels_last)
        labels = torch.zeros(setting.batch, *SIZE, dtype=torch.int64)
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer = torch.optim.Adam(network.parameters(), fused=True)
        optimizer.step()
        tracker = Tracker()
        tracker.track_external(network, optimizer, images, labels)
        low = PRECISIONS.get(setting.precision, torch.bfloat16)
        fast = torch.autocast(DEVICE, dtype=low, enabled=setting.precision != "fp32")
        with tracker:
            with fast:
                prediction = network(images)
                loss = task.loss(prediction, labels)
            loss.backward()
            teacher = prediction.detach()
            del prediction, loss
            for each in shared:
                with fast:
                    taught = each(images)
                    loss = (1 - distillation) * task.loss(taught, labels) if distillation < 1 else 0
                    if distillation:
                        loss = loss + distillation * task.distance(taught, teacher)
                del taught
                loss.backward()
                del loss
            optimizer.step()
    peaks = tracker.get_tracker_snapshot("peak")
    return sum(sizes["Total"] for device, sizes in peaks.items() if device.type == DEVICE)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("distillation", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    "others",
    [
        [{"topology": "resnet"}],
        [{"topology": "unet"}, {"topology": "frrn"}],
        [{"topology": {"drop": ["lateral_1_2"]}}],
        [{"base_channels": 4}, {"topology": "unet", "base_channels": 6}],
    ],
)
def test_a_step_needs_what_torch_allocates(others, distillation, precision):
    whole = build_grid(SPEC)
    grids = [build_grid(SPEC.but(**each)) for each in others]
    setting = Setting(batch=2, device=DEVICE, precision=precision)
    predicted = supernet_memory(whole, grids, SIZE, setting, distillation)
    truth = tracked_step(whole, grids, setting, distillation)
    assert predicted == pytest.approx(truth, rel=0.01 if precision == "fp32" else 0.02)


def test_the_whole_taught_by_itself_needs_more_than_alone():
    whole = build_grid(SPEC)
    setting = Setting(batch=2)
    alone = training_memory(whole, SIZE, setting)
    assert supernet_memory(whole, [whole], SIZE, setting, 1.0) > alone
    assert supernet_memory(whole, [], SIZE, setting, 1.0) == alone
