"""Which connections a spec keeps, where no named topology says it: lists of names."""

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator

from gridgen.spec.document import Document

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
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


TopologyField = Annotated[
    Annotated[Name, Tag("name")] | Annotated[CustomTopology, Tag("custom")],
    Discriminator(_is_custom),
]
