"""Computing a part again in the backward pass instead of keeping what is inside it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def recomputed(function: Callable[..., Any], inputs: tuple[Tensor, ...], parts: nn.Module) -> Any:
    """`function(*inputs)`, of which only `inputs` are kept for the backward pass.

    Random draws are the same both times; batch normalizations in `parts` count their batch once.
    """

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _still(parts.modules())

    return checkpoint(function, *inputs, use_reentrant=False, context_fn=contexts)


@contextmanager
def _still(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Running statistics stay as they are."""
    norms = [module for module in modules if isinstance(module, nn.BatchNorm2d)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, seen) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, seen
