"""Random specs for property-based tests. The networks they describe are small enough to build."""

from hypothesis import strategies as st

from gridgen.errors import TopologyError
from gridgen.grid import FUSIONS, TOPOLOGIES, UNITS, build_grid, prune
from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.styles import ACTIVATIONS, NORMS
from gridgen.spec import GridSpec

UP_TO_4 = st.integers(1, 4)
CHANNELS = st.integers(1, 6)


@st.composite
def columns(draw: st.DrawFn, streams: int) -> str | list[str]:
    """Mostly sub, then up; sometimes any sequence that leaves no stream without a path."""
    if draw(st.integers(0, 3)):
        return f"{draw(UP_TO_4)}+{draw(UP_TO_4)}"
    either = st.sampled_from(["sub", "up"])
    if streams == 1:
        return draw(st.lists(either, min_size=1, max_size=6))
    some = st.lists(either, max_size=2)
    return [*draw(some), "sub", *draw(some), "up", *draw(some)]


@st.composite
def specs(draw: st.DrawFn, max_streams: int = 5, dimensions: tuple[int, ...] = (2,)) -> GridSpec:
    """Valid specs without a topology: every name, flag and size policy."""
    streams = draw(st.integers(1, max_streams))
    width = (
        {"base_channels": draw(CHANNELS)}
        if draw(st.integers(0, 3))
        else {"channels": draw(st.lists(CHANNELS, min_size=streams, max_size=streams))}
    )
    units = {kind: st.sampled_from(sorted(table)) for kind, table in UNITS.items()}
    fields = st.fixed_dictionaries(
        {
            "streams": st.just(streams),
            "columns": columns(streams),
            "dimensions": st.sampled_from(dimensions),
            "classes": st.integers(1, 6),
        },
        optional={
            "in_channels": UP_TO_4,
            "units": st.fixed_dictionaries({}, optional=units),
            "fusion": st.sampled_from(sorted(FUSIONS)),
            "residual": st.fixed_dictionaries(
                {}, optional={"lateral": st.booleans(), "vertical": st.booleans()}
            ),
            "total_dropout": st.sampled_from([0, 0.1, 0.5]),
            "norm": st.sampled_from(sorted(NORMS)),
            "activation": st.sampled_from(sorted(ACTIVATIONS)),
            "stem": st.sampled_from(sorted(STEMS)),
            "head": st.sampled_from(sorted(HEADS)),
            "size": st.sampled_from(["error", "pad", "crop", "resize"]),
        },
    )
    return GridSpec(**width, **draw(fields))


@st.composite
def paper_specs(draw: st.DrawFn, max_streams: int = 6) -> GridSpec:
    """The paper's family: s sub columns, then u up columns, doubling channels, its own units."""
    return GridSpec(
        streams=draw(st.integers(1, max_streams)),
        columns=f"{draw(UP_TO_4)}+{draw(UP_TO_4)}",
        base_channels=draw(st.integers(1, 16)),
        in_channels=draw(UP_TO_4),
        classes=draw(st.integers(1, 19)),
    )


def topologies_for(spec: GridSpec) -> list[str]:
    """The topologies that the columns of `spec` allow."""
    full = build_grid(spec)
    return [name for name in TOPOLOGIES if _allows(full, name)]


def _allows(full, name: str) -> bool:
    try:
        prune(full, name)
    except TopologyError:
        return False
    return True
