"""The operations of a program, each with named inputs and outputs.

A value may be absent: the output of a unit that total dropout drops, or side features that are
not given. Layers of an absent value give an absent value, and a sum with it is its other input.
Every name is written once; `Free` says when it is read no more.
"""

from dataclasses import dataclass

from gridgen.grid.layers import Layers

IMAGES, PREDICTION = "images", "prediction"


@dataclass(frozen=True, slots=True)
class FitSize:
    """Bring the images to a legal size, by the size policy of the spec."""

    input: str
    output: str


@dataclass(frozen=True, slots=True)
class RestoreSize:
    """Bring the logits to the size of the images `like`, undoing `FitSize`."""

    input: str
    like: str
    output: str


@dataclass(frozen=True, slots=True)
class RunLayers:
    """Apply `layers`, whose weights have the prefix `part` in the `state_dict`.

    `dropout` is the probability that total dropout (section 3.1) drops the output in a training
    step; it is then absent, or zeros where `zeros_if_dropped`. Without layers the output is the
    input itself.
    """

    part: str
    layers: Layers
    input: str
    output: str
    auxiliary: str | None = None
    dropout: float = 0.0
    zeros_if_dropped: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """The input and, where there is one, the auxiliary input."""
        return (self.input,) if self.auxiliary is None else (self.input, self.auxiliary)


@dataclass(frozen=True, slots=True)
class Add:
    """`output = first + second`; `in_place` writes the sum over `second`."""

    first: str
    second: str
    output: str
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class Concatenate:
    """Join the channels of `inputs`."""

    inputs: tuple[str, ...]
    output: str


@dataclass(frozen=True, slots=True)
class Weigh:
    """Fast normalized fusion (Tan et al. 2020, section 3.3): sum of w x / (eps + sum of w).

    `part` is the name of the trainable weights, which pass a ReLU first.
    """

    part: str
    inputs: tuple[str, ...]
    output: str


@dataclass(frozen=True, slots=True)
class Free:
    """Nothing reads these values any more."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Operations whose inside is computed again in the backward pass instead of being kept.

    Reads `inputs` from outside; of what it computes, `outputs` are left when it is done.
    """

    operations: "tuple[Operation, ...]"
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


Operation = FitSize | RestoreSize | RunLayers | Add | Concatenate | Weigh | Free | Checkpoint


@dataclass(frozen=True)
class Program:
    """Operations from `images` (and side features) to `prediction`, in execution order."""

    operations: tuple[Operation, ...]


def read_by(operation: Operation) -> tuple[str, ...]:
    """The values that one operation reads."""
    match operation:
        case Add(first, second):
            return first, second
        case RestoreSize(given, like):
            return given, like
        case FitSize(given):
            return (given,)
        case Free():
            return ()
        case _:
            return operation.inputs


def written_by(operation: Operation) -> tuple[str, ...]:
    """The values that one operation writes."""
    match operation:
        case Checkpoint(outputs=outputs):
            return outputs
        case Free():
            return ()
        case _:
            return (operation.output,)
