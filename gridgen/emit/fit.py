"""Image sizes that a network cannot take: the image made to fit, and the prediction back again."""

from torch import Tensor
from torch.nn import functional

from gridgen.analysis import Size, legal_size
from gridgen.spec import NetworkSpec


def fit(images: Tensor, spec: NetworkSpec) -> Tensor:
    """(N, n_in, H, W) at a legal size, by the spec's policy. Errors: `SizeError`.

    `pad` extends the image by its border values on all sides, `crop` takes its middle, `resize`
    interpolates.
    """
    return _at(images, legal_size(spec, _size(images)), spec)


def restore(logits: Tensor, spec: NetworkSpec, size: Size) -> Tensor:
    """(N, K, h, w) for the fitted image -> (N, K, H, W) for the given one of `size`.

    What was padded is cut away; beyond what was cropped, the nearest predicted values stand.
    """
    return _at(logits, size, spec)


def _at(x: Tensor, size: Size, spec: NetworkSpec) -> Tensor:
    """`x` brought to `size`; as it is where it has that already."""
    before = _size(x)
    if before == size:
        return x
    if spec.size == "resize":
        return functional.interpolate(x, size, mode="bilinear", align_corners=False)
    return _moved(x, before, size)


def _moved(x: Tensor, before: Size, after: Size) -> Tensor:
    """`x` with sides cut, or extended by its border values, alike on both sides (odd: one more
    at the end).
    """
    (more, wider) = (after[0] - before[0], after[1] - before[1])
    top, left = _begin(more), _begin(wider)
    sides = (left, wider - left, top, more - top)
    if min(sides) >= 0:
        return functional.pad(x, sides, mode="replicate")
    height, width = after
    return x[..., -top : height - top, -left : width - left]


def _begin(more: int) -> int:
    """How much is added before, of `more` in all; negative where it is cut."""
    return more // 2 if more >= 0 else -(-more // 2)


def _size(x: Tensor) -> Size:
    height, width = x.shape[-2:]
    return height, width
