"""The latencies of a search's candidates, each network measured once, while no training runs."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from io import StringIO
from pathlib import Path

from gridgen.errors import RunError, SpecError, TrainingError
from gridgen.files import is_file, read_text, write_file
from gridgen.grid import build_grid
from gridgen.latency import LayerTimes
from gridgen.names import csv_text
from gridgen.study.candidates.counting import CountedCandidate
from gridgen.study.language.objectives import LATENCY, latency_text
from gridgen.study.language.study import Study
from gridgen.study.report.answer import of_role
from gridgen.study.trials import Candidate, TrialRecord
from gridgen.training.loop.latency import Latency, LatencyMeter, LatencySetting

FILE = "latency.csv"
TITLES = ("network", "machine", "ratio", "ratio_low", "ratio_high", "reference_ms")
MeasuredKey = tuple[str, str]
"""The fingerprint of a network, and the machine."""


class PredictedLatency:
    """Refuses candidates that a table of layer times predicts to be far over the limit.

    Far is by more than the table was wrong of any network that was held out when it was measured.
    Errors: `SpecError` for a table of another setting; `FileError`.
    """

    def __init__(self, study: Study, setting: LatencySetting) -> None:
        self.setting = setting
        self.table = None if setting.table is None else LayerTimes.of_file(setting.table)
        if self.table is not None:
            try:
                _require_same(self.table, setting)
            except SpecError as error:
                raise study.blame(error) from error

    def seconds(self, candidate: Candidate) -> float | None:
        """The prediction for a batch; None where nothing predicts it."""
        if self.table is None or candidate.network.dimensions != 2:
            return None
        setting = self.setting
        return self.table.seconds(candidate.network, setting.size, setting.batch)

    def refusal(self, seconds: float | None) -> str:
        """Why a candidate of this prediction need not be timed; "" where it has to be."""
        limit = self.setting.at_most
        if limit is None or seconds is None or self.table is None:
            return ""
        least = 1000 * seconds / (1 + self.table.worst)
        return f"latency is predicted to be more than {limit:g} ms" if least > limit else ""


class Latencies:
    """Measures candidates and adds the time of each to its costs, in microseconds.

    A time is the ratio to the reference network, by what the reference took when it was first
    measured in this study, so that neither a machine that is slower for a while nor another one
    changes the scale. `quiet` holds trainings still meanwhile. What was measured stays in the
    folder's latency.csv.
    """

    def __init__(
        self,
        folder: Path,
        predicted: PredictedLatency,
        quiet: Callable[[], AbstractContextManager[None]],
        noted: Callable[[str], None],
    ) -> None:
        self.path, self.quiet, self.noted = folder / FILE, quiet, noted
        self._predicted, self.setting = predicted, predicted.setting
        self._meter = LatencyMeter(self.setting)
        # Microseconds and names of what was refused by its latency, in this search.
        self._over: list[tuple[int, str]] = []

    def measured(self, candidate: Candidate) -> CountedCandidate:
        """The candidate with its latency among its costs, and why it is refused; "" if it is not.

        One that a table of this machine refuses is not measured. Errors: `DeviceError` where the
        device is not there.
        """
        if LATENCY in candidate.costs:
            return CountedCandidate(candidate, "")
        self._begin()
        table = self._predicted.table
        if table is not None and table.machine == self._meter.machine:
            seconds = self._predicted.seconds(candidate)
            if seconds is not None and (refusal := self._predicted.refusal(seconds)):
                self._over.append((round(1e6 * seconds), candidate.name))
                return CountedCandidate(candidate, refusal)
        try:
            latency = self._latency(candidate)
        except TrainingError as error:
            return CountedCandidate(candidate, f"latency: {error}")
        cost = max(1, round(1e6 * latency.ratio * self._reference))
        found = replace(candidate, costs={**candidate.costs, LATENCY: cost})
        limit = self.setting.at_most
        if limit is None or cost <= 1000 * limit:
            return CountedCandidate(found, "")
        self._over.append((cost, candidate.name))
        return CountedCandidate(found, f"latency is more than {limit:g} ms")

    def require_some(self, study: Study, records: Sequence[TrialRecord]) -> None:
        """Errors: `SpecError` where a search has nothing to train, as all takes too long."""
        if self._over and not of_role(records, "searched"):
            cost, name = min(self._over)
            fact = f"no candidate meets it; nearest is {name}, with {latency_text(cost)}"
            fix = "loosen the limit, or widen space"
            raise study.blame(SpecError(f"{fact}; {fix}", ("latency", "at_most")))

    def close(self) -> None:
        """End the process that measures."""
        self._meter.close()

    @cached_property
    def _kept(self) -> dict[MeasuredKey, Latency]:
        # Read when it is first asked for, which is under the folder's lock.
        return dict(_read(self.path))

    @property
    def _reference(self) -> float:
        """Seconds of the reference when it was first measured, on whatever machine."""
        first = next(iter(self._kept.values()), None)
        return self._meter.reference if first is None else first.reference

    def _latency(self, candidate: Candidate) -> Latency:
        key = build_grid(candidate.network).fingerprint, self._meter.machine
        if key not in self._kept:
            with self.quiet():
                found = self._meter.time(candidate.network)
            # The first says what all ratios to come are told by.
            self._kept[key] = replace(found, reference=self._reference)
            self._write()
        return self._kept[key]

    def _begin(self) -> None:
        if self._meter.machine:
            self._meter.begin()
            return
        # What the reference takes on a busy machine would be the unit of all times to come.
        with self.quiet():
            self._meter.begin()
        reference = latency_text(round(1e6 * self._reference))
        self.noted(f"latency on {self._meter.machine}: the reference network takes {reference}")
        table = self._predicted.table
        if table is not None and table.machine != self._meter.machine:
            fact = f"{self.setting.table} is of another machine, {table.machine}"
            self.noted(f"{fact}; nothing is refused by it")
        if {machine for _, machine in self._kept} - {self._meter.machine}:
            self.noted("latencies of before are of another machine: ratios may differ there")

    def _write(self) -> None:
        rows = []
        for key, each in self._kept.items():
            values = (each.ratio, each.low, each.high, 1000 * each.reference)
            rows.append((*key, *(f"{value:.6g}" for value in values)))
        write_file(self.path, csv_text([TITLES, *rows]))


def _require_same(table: LayerTimes, setting: LatencySetting) -> None:
    """Errors: `SpecError` for a table that was measured otherwise."""
    path = setting.table
    for name in ("threads", "precision"):
        theirs, ours = getattr(table, name), getattr(setting, name)
        if theirs != ours:
            fact = f"{path} was measured with {name} {theirs}, and latency has {ours}"
            raise SpecError(f"{fact}; measure it so", ("latency", "table"))
    if setting.device not in ("auto", table.device):
        fact = f"{path} is of a {table.device} device, and latency has {setting.device}"
        raise SpecError(f"{fact}; give a table of that", ("latency", "table"))


def _read(path: Path) -> Iterator[tuple[MeasuredKey, Latency]]:
    """What the table holds. Errors: `RunError` for one that is damaged."""
    if not is_file(path):
        return
    try:
        for row in csv.DictReader(StringIO(read_text(path), newline=""), strict=True):
            ratio, low, high, reference = (float(row[name]) for name in TITLES[2:])
            yield (row["network"], row["machine"]), Latency(ratio, low, high, reference / 1000)
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        fix = "remove it, and all is measured again"
        raise RunError(f"{path}: damaged: {error}; {fix}") from error
