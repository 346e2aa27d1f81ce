"""What a search found, in sentences: whether it beats the baseline, and how sure that is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

from gridgen.study.fronts import front_of, places_by_volume
from gridgen.study.report.asked import Asked
from gridgen.study.report.statistics import Comparison, SeedScores, differences
from gridgen.study.report.tradeoffs import front_told
from gridgen.study.trials import Objectives, TrialRecord

UNCONFIRMED = "Nothing was confirmed with fresh seeds, so no difference is claimed."
ALONE = "No baseline was trained with fresh seeds to compare with, so no difference is claimed."
LEGEND = "± is the standard deviation between seeds, in brackets is the interval of the difference."


def ranked(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """The records that have a score and were trained to the end: the best first, of equals the one
    of fewer parameters.
    """
    done = [each for each in records if each.state == "finished" and each.score is not None]
    return sorted(done, key=_place)


def best_ones(
    records: Iterable[TrialRecord], objectives: Objectives, many: int
) -> list[TrialRecord]:
    """So many of the records that were trained to the end: the highest scores, or with several
    objectives those of the front that together beat the most.
    """
    if len(objectives) == 1:
        return ranked(records)[:many]
    known = _by_merits(records, objectives)
    return [known[place][0] for place in places_by_volume([merits for _, merits in known], many)]


def front(records: Iterable[TrialRecord], objectives: Objectives) -> list[TrialRecord]:
    """The trials that no other beats in all objectives, the highest score first."""
    known = _by_merits(records, objectives)
    return [known[place][0] for place in front_of([merits for _, merits in known])]


def _by_merits(
    records: Iterable[TrialRecord], objectives: Objectives
) -> list[tuple[TrialRecord, tuple[float, ...]]]:
    """The ranked records of which all objectives are known, with their merits."""
    found = ((each, each.merits(objectives)) for each in ranked(records))
    return [(each, merits) for each, merits in found if merits is not None]


def searched(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The searched candidates that were trained to the end, the best first.

    Those that were trained again with fresh seeds stand first, by the mean of these alone: the
    scores by which they were chosen are too high.
    """
    found = ranked(of_role(records, "searched"))
    again = {each.name: each.mean for each in fresh_scores(found, of_role(records, "confirmation"))}
    return sorted(found, key=lambda each: -again.get(named(each), -inf))


def _place(record: TrialRecord) -> tuple[float, int, int]:
    return -(record.score or 0), record.candidate.costs.get("parameters", 0), record.number


def of_role(records: Iterable[TrialRecord], role: str) -> list[TrialRecord]:
    """The records of a role."""
    return [each for each in records if each.role == role]


def counted_baselines(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """The baselines that were trained, the best first; of those drawn at random the best alone.

    What was drawn is a point of the space, and what was chosen by arithmetic is not.
    """
    found = ranked(of_role(records, "baseline"))
    drawn = [each for each in found if each.candidate.params]
    return [each for each in found if each not in drawn[1:]]


@dataclass(frozen=True)
class SearchAnswer:
    """What is known at the end of a search, or so far.

    `entries` are the searched candidates, the best first; `comparisons` are of those that were
    trained again with fresh seeds, each against each baseline that was.
    """

    asked: Asked
    entries: Sequence[TrialRecord]
    baselines: Sequence[TrialRecord]
    comparisons: Sequence[Comparison]
    again: Sequence[SeedScores] = ()
    """Candidates and baselines with the scores of their fresh seeds."""

    @classmethod
    def of(cls, asked: Asked, records: Sequence[TrialRecord]) -> "SearchAnswer":
        """The answer that the records give."""
        entries = searched(records)
        baselines = counted_baselines(records)
        again = of_role(records, "confirmation")
        ours, theirs = (fresh_scores(each, again) for each in (entries, baselines))
        return cls(asked, entries, baselines, differences(ours, theirs), (*ours, *theirs))

    @property
    def best(self) -> TrialRecord | None:
        """The candidate with the highest mean, of fresh seeds where there are any."""
        return self.entries[0] if self.entries else None

    @property
    def baseline(self) -> TrialRecord | None:
        """The baseline with the highest mean; None if none was trained."""
        return self.baselines[0] if self.baselines else None

    def confirmed(self, record: TrialRecord) -> SeedScores | None:
        """The scores of fresh seeds of a candidate or baseline; None where there are none."""
        return next((each for each in self.again if each.name == named(record)), None)

    @cached_property
    def front(self) -> list[TrialRecord]:
        """The candidates that no other beats in all objectives, the highest score first."""
        return front(self.entries, self.asked.objectives)

    @property
    def headline(self) -> str:
        """Whether search beats the baseline, in a sentence or two; of several objectives, where the
        front lies.
        """
        best, baseline = self.best, self.baseline
        if self.asked.against and self.front:
            return front_told(self.asked, self.front, self.baselines)
        if best is None:
            return "No candidate was trained to its end, so there is no answer yet."
        if baseline is None:
            again = self.confirmed(best)
            told = f"with fresh seeds {again.named(self.asked.digits)}" if again else None
            return f"No baseline was trained to hold the best against: {told or self._told(best)}."
        if self.comparisons:
            return self._confirmed_headline()
        pair = f"in the search itself {self._told(best)}, {self._told(baseline)}"
        beaten = (best.score or 0) > (baseline.score or 0)
        verdict = "is not shown to beat" if beaten else "does not beat"
        return f"Search {verdict} the baseline: {pair}. {UNCONFIRMED}"

    def _confirmed_headline(self) -> str:
        """The headline of comparisons: search has to beat every baseline."""
        digits = self.asked.digits
        surest = []
        for rival in dict.fromkeys(each.baseline.name for each in self.comparisons):
            against = [each for each in self.comparisons if each.baseline.name == rival]
            better = [each for each in against if each.distinguishable and each.mean > 0]
            if not better:
                return f"Search {_failing(against[0])} the baseline: {against[0].sentence(digits)}."
            surest.append(better[0])
        for each in self.baselines:
            if self.confirmed(each) is None:
                fact = f"{named(each)} has no scores of fresh seeds"
                return f"Search is not shown to beat the baseline: {fact}."
        return f"Search beats the baseline: {'; '.join(each.sentence(digits) for each in surest)}."

    @property
    def sentences(self) -> list[str]:
        """A sentence for each comparison, or the one that says why there is none."""
        if not self.comparisons:
            return [ALONE if self.again else UNCONFIRMED]
        return [f"{each.sentence(self.asked.digits)}." for each in self.comparisons]

    def _told(self, record: TrialRecord) -> str:
        return SeedScores(named(record), record.scores).named(self.asked.digits)


def named(record: TrialRecord) -> str:
    """What sentences call the candidate of a record."""
    name = record.candidate.name
    return f"{name} (trial {record.number})" if record.role == "searched" else name


def _failing(difference: Comparison) -> str:
    if difference.mean <= 0:
        return "does worse than" if difference.distinguishable else "does not beat"
    return "is not shown to beat"


def fresh_scores(records: Sequence[TrialRecord], again: Sequence[TrialRecord]) -> list[SeedScores]:
    """The scores of fresh seeds of those records that have any."""
    samples = []
    for record in records:
        # One that was confirmed with more seeds later on has those of before in both.
        own = [done for each in again if each.of == record.number for done in each.trainings]
        scores = {each.seed: each.score for each in own if each.score is not None}
        if scores:
            samples.append(SeedScores(named(record), tuple(scores.values())))
    return samples
