"""`gridgen count`: what a grid costs, exactly."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.analysis import count as count_grid
from gridgen.analysis.breakdown import GROUPINGS, Piece, breakdown
from gridgen.analysis.counting import Count
from gridgen.analysis.sizes import counted_size
from gridgen.cli.budget import Limits, budget_of
from gridgen.cli.calibrate import RoomName, room_of
from gridgen.cli.costs import (
    BatchOption,
    OptimizerOption,
    PrecisionOption,
    RecomputeOption,
    print_breakdown,
    print_memory,
    print_totals,
    setting_of,
)
from gridgen.cli.layer_times import PredictedTime, layer_times
from gridgen.cli.terminal import (
    As,
    AsJson,
    ImageSize,
    Settings,
    SpecName,
    describe,
    given,
    grid_of,
    print_json,
    print_rows,
    print_wrapped_rows,
    size_of,
)
from gridgen.errors import UsageError, unknown
from gridgen.grid import Grid
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size
from gridgen.text import number_text

if TYPE_CHECKING:
    from gridgen.memory import Memory, Setting
    from gridgen.memory.device.fitting import DeviceFit, DeviceMemory
    from gridgen.space import Budget
    from gridgen.space.budget import LimitVerdict

DEFAULT = ("part", "stream")
TERMS = ("batch", "precision", "optimizer", "recompute")
BROKEN = 1


def count(
    spec: SpecName,
    topology: As = None,
    settings: Settings = None,
    size: ImageSize = None,
    per: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="Costs per part, stream or connection; per part and per stream if not given.",
        ),
    ] = None,
    batch: BatchOption = None,
    precision: PrecisionOption = None,
    optimizer: OptimizerOption = None,
    recompute: RecomputeOption = None,
    device: RoomName = None,
    latency: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Predict it by layer times of gridgen calibrate."),
    ] = None,
    budget: Limits = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 where device or budget are not kept to.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Count parameters, activations, multiply-accumulates, paths and memory, exactly."""
    if per is not None and per not in GROUPINGS:
        raise UsageError(f"--per: {unknown('grouping', per, GROUPINGS)}")
    if strict and not (budget or device):
        raise UsageError("--strict: there is nothing to keep to; give --budget or --device")
    options = given(batch=batch, precision=precision, optimizer=optimizer, recompute=recompute)
    setting = setting_of(options) if options or device else None
    room = None if device is None else room_of(device)
    grid = grid_of(spec, topology, settings)
    asked = size_of(size)
    limited = budget_of(budget, options | given(size=asked))
    # A budget may name the batch, the precision and the image; the table must then be of these.
    if limited is not None:
        setting, batch, precision = limited.setting, limited.batch, limited.precision
        asked = limited.image(grid.spec) if limited.size and not asked else asked
    table = None if latency is None else layer_times(latency, precision)
    memory = bool(options or room or (limited and limited.limits_memory))
    answer = _answer(grid, asked, setting if memory else None, room, limited)
    if table is not None:
        answer = replace(answer, time=PredictedTime.of(table, grid, answer.image, batch or 1))
    if as_json:
        print_json(answer.as_json(per))
    else:
        answer.print(per)
    return BROKEN if strict and not answer.kept else 0


@dataclass(frozen=True)
class Answer:
    """What was counted for one image of `asked`, and what was asked for beside that."""

    grid: Grid
    asked: Size | None
    setting: "Setting | None"
    room: "DeviceMemory | None"
    counted: Count
    needed: "Memory | None"
    fitting: "tuple[DeviceFit, ...]"
    verdicts: "Sequence[LimitVerdict]"
    time: "PredictedTime | None" = None

    @property
    def image(self) -> Size:
        """What the spec's size policy makes of it."""
        return counted_size(self.grid.spec, self.asked)

    @property
    def kept(self) -> bool:
        """Whether it fits the device, and keeps to every limit."""
        fits = all(fit.fits for fit in self.fitting)
        return fits and all(verdict.within for verdict in self.verdicts)

    def as_json(self, per: str | None) -> dict[str, Any]:
        """Plain values."""
        more: dict[str, Any] = {}
        if self.needed and self.setting:
            more = {"memory": self.needed.as_json(), "counted": self._terms(self.setting)}
        if per:
            more["breakdown"] = [asdict(row) for row in GROUPINGS[per](self._pieces())]
        if self.room:
            memory = {"memory": self.room.memory}
            more["device"] = [asdict(fit) | memory for fit in self.fitting]
        if self.time:
            more["latency"] = self.time.as_json()
        if self.verdicts:
            more["budget"] = [verdict.as_json() for verdict in self.verdicts]
        return self.counted.as_json() | more

    def _terms(self, setting: "Setting") -> dict[str, Any]:
        """What memory was counted for: the image given, the one worked on, and the setting."""
        sizes = {"size": list(self.asked or self.image), "worked_on": list(self.image)}
        return sizes | {name: getattr(setting, name) for name in TERMS}

    def print(self, per: str | None) -> None:
        """Tables, one below the other."""
        grid, counted = self.grid, self.counted
        size = shape_text(self.image)
        paths = f"{counted.maps:,}, {number_text(counted.paths)}"
        print_rows([*describe(grid), ("maps, paths", paths)])
        print(f"\nfor one image of {size}{self._policy()}")
        print_totals(counted)
        if counted.parameters.paper is not None:
            print("\npaper: the approximations of section 3.2, which know the full grid only")
        for grouping in [per] if per else DEFAULT:
            print()
            print_breakdown(grouping, self._pieces())
        if self.needed and self.setting:
            print_memory(self.needed, self.setting)
        if self.time:
            print()
            print_wrapped_rows(self.time.rows())
        self._print_verdicts()

    def _print_verdicts(self) -> None:
        if self.room:
            print()
            note = [("", self.room.note)] if self.room.note else []
            print_rows([*((fit.phase, fit.text(self.room)) for fit in self.fitting), *note])
        if self.verdicts:
            print()
            print_wrapped_rows([(verdict.label, verdict.text) for verdict in self.verdicts])

    def _policy(self) -> str:
        """What was given, where the size policy makes another image of it."""
        if self.asked in (None, self.image):
            return ""
        return f", {shape_text(self.asked)} by size: {self.grid.spec.size}"

    def _pieces(self) -> tuple[Piece, ...]:
        return breakdown(self.grid, self.asked)


def _answer(
    grid: Grid,
    asked: Size | None,
    setting: "Setting | None",
    room: "DeviceMemory | None",
    budget: "Budget | None",
) -> Answer:
    needed: Memory | None = None
    fitting: tuple[DeviceFit, ...] = ()
    # Imported here, since counting alone starts up without the memory model.
    if setting:
        from gridgen.memory import count_memory

        needed = count_memory(grid, asked, setting)
    if room:
        from gridgen.memory.device.fitting import fits

        fitting = fits(grid, room, asked, setting)
    verdicts = budget.verdict(grid) if budget else ()
    counted = count_grid(grid, asked)
    return Answer(grid, asked, setting, room, counted, needed, fitting, verdicts)
