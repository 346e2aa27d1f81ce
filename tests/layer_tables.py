"""Tables of layer times of devices that there are not."""

from gridgen import LayerTimes
from gridgen.grid import build_grid
from gridgen.latency.layer_times import TimedNetwork
from gridgen.latency.work import CONVOLUTIONS, JOIN, POINTWISE, SUM
from gridgen.spec import GridSpec

SPEC = GridSpec(streams=3, columns="2+2", base_channels=4, classes=3, size="pad")
CHANNELS, PIXELS, VALUES = (1, 8, 64), (4, 64, 4096), (16, 65_536)


def kernel(kind: str) -> int:
    return 1 if "1x1" in kind else 9


def table(scale: float = 1.0, **more) -> LayerTimes:
    """Of a device that takes a nanosecond for each MAC, and for each value of anything else."""
    by_macs = {
        kind: [
            1e-9 * kernel(kind) * given * made * pixels
            for given in CHANNELS
            for made in CHANNELS
            for pixels in PIXELS
        ]
        for kind in CONVOLUTIONS
    }
    fields = {
        "machine": "m",
        "device": "cpu",
        "threads": 1,
        "channels": CHANNELS,
        "pixels": PIXELS,
        "values": VALUES,
        "convolutions": by_macs,
        "pointwise": {kind: [1e-9 * each for each in VALUES] for kind in (*POINTWISE, SUM, JOIN)},
        "networks": [
            {"spec": SPEC, "size": [32, 32], "seconds": 1.0, "held_out": held_out}
            for held_out in (False, True)
        ],
    }
    made = LayerTimes(**fields | more)
    # Networks for which the sum over layers is right, up to `scale`.
    seconds = made._sum(build_grid(SPEC), (32, 32), 1) * scale
    fitted = TimedNetwork(spec=SPEC, size=(32, 32), seconds=seconds)
    held_out = TimedNetwork(spec=SPEC, size=(32, 32), seconds=seconds * 1.25, held_out=True)
    return made.but(networks=(fitted, held_out))
