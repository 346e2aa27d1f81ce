"""What every network spec says, the connections it keeps, and changing its fields by name."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from gridgen.errors import SpecError
from gridgen.spec.document import Document
from gridgen.spec.facts import shown_value

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
RegisteredName = str
"""A name that a registry of `grid` must know."""
Pattern = Annotated[str, Field(pattern=r"^[a-z0-9_*?\[\]!-]{1,64}$")]


class CustomTopology(Document):
    """Connections to keep, or to drop, by name; `*`, `?` and `[...]` are wildcards.

    Names are `lateral_I_J`, `sub_I_J`, `up_I_J`, where (I, J) is the stream and column of the
    feature map that the connection leads to; `_from_K_L` follows where it does not come from the
    neighbour in the paper's lattice.
    """

    keep: tuple[Pattern, ...] | None = Field(
        default=None, min_length=1, strict=False, description="Keep these, drop all others."
    )
    drop: tuple[Pattern, ...] | None = Field(
        default=None, min_length=1, strict=False, description="Drop these, keep all others."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.keep is None) == (self.drop is None):
            raise ValueError("give either keep or drop")
        return self


def _is_custom(value: Any) -> str:
    return "name" if isinstance(value, str) else "custom"


def _name_or_lists(value: Any) -> Any:
    if not isinstance(value, str | Mapping | CustomTopology):
        fact = f"{shown_value(value)} is no topology"
        raise ValueError(f"{fact}; give a name, {{keep: [...]}} or {{drop: [...]}}")
    return value


TopologyField = Annotated[
    Annotated[RegisteredName, Tag("name")] | Annotated[CustomTopology, Tag("custom")],
    Discriminator(_is_custom),
    BeforeValidator(_name_or_lists),
]


InChannels = Annotated[int, Field(ge=1, le=4096, description="Channels of the image.")]
Classes = Annotated[
    int,
    Field(
        ge=1,
        le=4096,
        description="Number K of what the head predicts: classes, or output channels of a network "
        "that restores images.",
    ),
]
Dimensions = Annotated[
    Literal[1, 2, 3],
    Field(description="Sides of what the network sees: signals 1, images 2, volumes 3."),
]
SizePolicy = Annotated[
    Literal["error", "pad", "crop", "resize"],
    Field(
        description="For image sides that the network cannot take: refuse them (error); extend "
        "the image by its border and crop the prediction (pad); predict the middle that fits, "
        "its border values beyond (crop); or resize the image and the prediction back (resize).",
    ),
]


class NetworkSpec(Document):
    """A document from which a grid can be built. Its kinds say how; all say what stands here."""

    kind: ClassVar[str] = "spec"

    if TYPE_CHECKING:  # declared by each kind, which orders its own fields
        in_channels: InChannels
        classes: Classes
        dimensions: Dimensions
        size: SizePolicy
        topology: str | CustomTopology | None

    @property
    def title(self) -> str:
        """What the network is called in pictures, reports and file names."""
        raise NotImplementedError

    @property
    def shape(self) -> str:
        """The network's measures in a few words: channels in and classes, if it has no others."""
        plural = "s" if self.in_channels > 1 else ""
        return f"{self.in_channels} channel{plural}, {self.classes} classes"

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of."""
        raise NotImplementedError

    @property
    def least(self) -> int:
        """The smallest legal height and width."""
        return self.multiple

    @property
    def stride(self) -> int:
        """What the stem divides the sides of the image by, where a side enters beside it."""
        return 1

    @property
    def needs(self) -> str:
        """Which sizes are legal, in words."""
        return f"{self.title} needs {self.legal_sides}"

    @property
    def legal_sides(self) -> str:
        """The legal sides alone, such as `multiples of 32, 64 at least`."""
        least = f", {self.least} at least" if self.least > self.multiple else ""
        return f"multiples of {self.multiple}{least}"


class DraftSpec(NetworkSpec):
    """A network that only its draft knows: it is counted, drawn and made a module, not stored.

    >>> DraftSpec(classes=2, step=4).needs
    'draft needs multiples of 4'
    """

    name: Name = "draft"
    in_channels: InChannels = 3
    classes: Classes
    step: Annotated[int, Field(ge=1, description="What image sides must be multiples of.")] = 1
    smallest: Annotated[int, Field(ge=0, description="The smallest legal side, if larger.")] = 0
    dimensions: Dimensions = 2
    size: SizePolicy = "error"
    topology: CustomTopology | None = None

    @property
    def title(self) -> str:
        """The draft's name."""
        return self.name

    @property
    def multiple(self) -> int:
        """`step`."""
        return self.step

    @property
    def least(self) -> int:
        """`smallest`, or one step."""
        return max(self.smallest, self.step)


def changed(spec: NetworkSpec, settings: Mapping[str, Any]) -> NetworkSpec:
    """`spec` with fields replaced; `units.lateral` reaches into `units`. Errors: `SpecError`."""
    if not settings:
        return spec
    fields = merged(spec.plain(), settings)
    return spec.but(**{name: fields[name] for name in map(root, settings)})


def settings(spec: NetworkSpec) -> dict[str, Any]:
    """The fields that were set, by the names that `changed` takes; a topology is one of them.

    >>> settings(DraftSpec(classes=2, topology={"drop": ["sub_1_1"]}))
    {'classes': 2, 'topology': {'drop': ['sub_1_1']}}
    """
    found: dict[str, Any] = {}
    for name, value in spec.plain().items():
        if isinstance(value, dict) and name != "topology":
            found |= {f"{name}.{part}": inner for part, inner in value.items()}
        else:
            found[name] = value
    return found


def root(name: str) -> str:
    """The field of the document itself that a dotted name reaches into.

    >>> root("units.lateral")
    'units'
    """
    return name.split(".")[0]


def merged(spec: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a spec with `values` over them; `units.lateral` reaches into `units`.

    Errors: `SpecError` where a name reaches into a value that has no fields.
    """
    fields = json.loads(json.dumps(spec))
    for name, value in values.items():
        holder = fields
        *path, last = name.split(".")
        for part in path:
            holder = holder.setdefault(part, {})
            if not isinstance(holder, dict):
                raise SpecError(f"{part} is {json.dumps(holder)}, which has no fields", (part,))
        holder[last] = value
    return fields  # type: ignore[no-any-return]
