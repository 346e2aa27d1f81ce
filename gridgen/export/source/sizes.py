"""Sizes that a network cannot take, in a source file: functions whose text is copied there.

They give what `emit/input_sizes.py` gives, which tests hold them to; here sizes are plain
arithmetic on `multiple`, by which each side must be divisible, and `least`, the smallest side.
"""

import inspect
from collections.abc import Callable, Sequence

from torch import Tensor
from torch.nn import functional

from gridgen.program.modules import LINEAR
from gridgen.spec import NetworkSpec


def require_legal(images: Tensor, multiple: int, least: int) -> Tensor:
    """The images. Errors: `ValueError` for a side that the network cannot take."""
    if any(side % multiple or side < least for side in images.shape[2:]):
        sizes = "x".join(map(str, images.shape[2:]))
        wanted = f"multiples of {multiple}, at least {least}"
        raise ValueError(f"images are {sizes}; their sides must be {wanted}")
    return images


def pad_to_legal(images: Tensor, multiple: int, least: int) -> Tensor:
    """The images, extended to the next sizes that the network can take."""
    above = [-(-side // multiple) * multiple for side in images.shape[2:]]
    return extend_to(images, [max(side, least) for side in above])


def crop_to_legal(images: Tensor, multiple: int, least: int) -> Tensor:
    """The middle of the images. Errors: `ValueError` where they are too small."""
    size = [side - side % multiple for side in images.shape[2:]]
    if min(size) < least:
        raise ValueError(f"images are smaller than {least} pixels")
    return cut_to(images, size)


def resize_to_legal(images: Tensor, multiple: int, least: int) -> Tensor:
    """The images, interpolated to the nearest sizes that the network can take."""
    near = [(side + multiple // 2) // multiple * multiple for side in images.shape[2:]]
    return resize_to(images, [max(side, least) for side in near])


def extend_to(x: Tensor, size: Sequence[int]) -> Tensor:
    """Border values are repeated at both ends of each side, up to a size."""
    more = [side - x.shape[dim] for dim, side in enumerate(size, 2)]
    ends = [end for rows in reversed(more) for end in (rows // 2, rows - rows // 2)]
    return functional.pad(x, ends, mode="replicate") if any(more) else x


def cut_to(x: Tensor, size: Sequence[int]) -> Tensor:
    """The middle of the maps, of a size."""
    for dim, side in enumerate(size, 2):
        x = x.narrow(dim, (x.shape[dim] - side) // 2, side)
    return x


def resize_to(x: Tensor, size: Sequence[int]) -> Tensor:
    """The maps, interpolated to a size; corners are not aligned."""
    if list(x.shape[2:]) == list(size):
        return x
    return functional.interpolate(x, list(size), mode="bilinear", align_corners=False)


def side_features(
    features: Sequence[Tensor | None] | None,
    images: Tensor,
    wanted: list[tuple[int, int]],
) -> Sequence[Tensor | None]:
    """The features beside the image, None for each that is not given.

    `wanted` are their channels, and by how much they are smaller than the images.
    Errors: `ValueError` for another number, and for other shapes.
    """
    if features is None:
        return [None] * len(wanted)
    if len(features) != len(wanted):
        fact = f"{len(features)} features; give {len(wanted)}"
        raise ValueError(f"{fact}, or None for each")
    for number, (channels, factor) in enumerate(wanted):
        given = features[number]
        shape = [channels, *(side // factor for side in images.shape[2:])]
        if given is not None and list(given.shape[1:]) != shape:
            fact = f"features {number} are {list(given.shape[1:])}"
            raise ValueError(f"{fact}, not {shape}")
    return features


Policy = tuple[Callable[..., Tensor], ...]
POLICIES: dict[str, Policy] = {
    "error": (require_legal,),
    "pad": (pad_to_legal, cut_to, extend_to),
    "crop": (crop_to_legal, extend_to, cut_to),
    "resize": (resize_to_legal, resize_to),
}
"""Of each size policy: the function before the network, the one after it where sizes change, and
those that the two use.
"""


def policy_text(spec: NetworkSpec) -> str:
    """The functions of a spec's size policy."""
    text = "\n\n".join(inspect.getsource(function) for function in POLICIES[spec.size])
    return text.replace('"bilinear"', f'"{LINEAR[spec.dimensions]}"')
