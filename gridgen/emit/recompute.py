"""Computing a part again in the backward pass instead of keeping what is inside it."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def recomputed(
    function: Callable[..., Any], inputs: tuple[Tensor | None, ...], parts: Iterable[nn.Module]
) -> Any:
    """`function(*inputs)`, of which only `inputs` are kept for the backward pass.

    Random draws are the same every time; batch normalizations in `parts` count their batch once.
    """
    still = Still(parts)
    return checkpoint(
        # Reentrant checkpoints give no gradient to weights where no input needs one.
        function,
        *inputs,
        use_reentrant=False,
        context_fn=lambda: (nullcontext(), still),
    )


class Still:
    """While it is entered, running statistics stay as they are. It may be entered again."""

    def __init__(self, parts: Iterable[nn.Module]) -> None:
        modules = (module for part in parts for module in part.modules())
        self.norms = [module for module in modules if isinstance(module, BATCH_NORMS)]
        self.before: list[tuple[float | None, Tensor | None]] = []

    def __enter__(self) -> None:
        self.before = [(norm.momentum, norm.num_batches_tracked) for norm in self.norms]
        for norm in self.norms:
            # Without the counter nothing is counted, and momentum 0 leaves statistics alone.
            norm.momentum, norm.num_batches_tracked = 0.0, None

    def __exit__(self, *_: object) -> None:
        for norm, (momentum, seen) in zip(self.norms, self.before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, seen
