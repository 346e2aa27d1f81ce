"""The page of a search: one HTML file that needs nothing else, its script included."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gridgen.errors import RenderError
from gridgen.files import write_file
from gridgen.grid import build_grid
from gridgen.pages.page import embedded, rendered
from gridgen.render import draw
from gridgen.render.sketch import Sketch
from gridgen.study.report.answer import LEGEND, SearchAnswer, of_role, ranked
from gridgen.study.report.asked import Asked
from gridgen.study.report.charts import against_costs, curves_left_out, history, learning
from gridgen.study.report.entries import brief_score, cost_text, counted, entry, role_text, target
from gridgen.study.report.importances import LEAST_TRIALS, best_share, importances
from gridgen.study.report.result import STATES, Result
from gridgen.study.report.statistics import signed
from gridgen.study.report.tradeoffs import front_section, objective_title, volume_chart
from gridgen.study.trials import TrialRecord
from gridgen.training.loop.progress import duration

NAME = "report.html"
MOST_DRAWN = 400
"""Trials with a picture and learning curves of their own; of more, the best and the baselines."""
ROLES = ("baseline", "searched", "confirmation")


def write_page(result: Result, path: Path | None = None) -> Path:
    """Write the page of a search, by default to report.html in its folder. Errors: `FileError`."""
    path = path or result.folder / NAME
    beside = path.resolve().parent == result.folder.resolve()
    tables = "beside this page" if beside else f"in {result.folder}"
    return write_file(path, study_page(result.asked, result.records, tables))


def study_page(
    asked: Asked, records: Sequence[TrialRecord], tables: str = "beside this page"
) -> str:
    """The page as HTML; `tables` says where those of the search are."""
    records = sorted(records, key=lambda each: each.number)
    answer = SearchAnswer.of(asked, records)
    drawn = _drawn(records)
    entries = [entry(each, asked, each.number in drawn) for each in records]
    return rendered(
        "study",
        heading=asked.title,
        headline=answer.headline,
        screened=asked.screened,
        unfinished=_unfinished(asked, records),
        facts=_facts(records, answer),
        rivals=_rivals(answer, entries),
        sentences=answer.sentences,
        baselines=bool(answer.baselines),
        tables=tables,
        legend=LEGEND if answer.comparisons else "",
        front=front_section(asked, answer.front, answer.baselines) if asked.against else None,
        volume=volume_chart(records, asked) if asked.against else None,
        history=history(records, answer),
        costs=against_costs(records, answer),
        importances=_importances(answer),
        learning=learning(records, answer),
        curves_left_out=curves_left_out(records),
        refused=_refused(asked),
        failures=_failures(records),
        durations=_durations(records),
        trials=_table(records, asked),
        entries=entries,
        sketches=_numbered(entries),
        not_drawn=len(records) - len(drawn),
        most_drawn=MOST_DRAWN,
        asked=_asked(asked),
        commands=asked.commands,
    )


def _drawn(records: Sequence[TrialRecord]) -> set[int]:
    """The numbers of the trials that have a picture: of too many, the best after the baselines."""
    done = ranked(records)
    first = of_role(records, "baseline") + of_role(records, "confirmation")
    order = [*first, *done, *records]
    return set(list(dict.fromkeys(each.number for each in order))[:MOST_DRAWN])


def _numbered(entries: Sequence[dict[str, Any]]) -> list[Sketch]:
    """The different pictures, so that each is in the page once; entries get its number."""
    numbers: dict[Sketch, int] = {}
    for each in entries:
        if each["sketch"] is not None:
            each["number"] = numbers.setdefault(each["sketch"], len(numbers))
    return list(numbers)


def _unfinished(asked: Asked, records: Sequence[TrialRecord]) -> str:
    """A line that says that there is more to come; "" where the search is over."""
    running = sum(each.state in ("running", "paused") for each in records)
    if asked.stopped and not running:
        return ""
    why = f" It stopped: {asked.stopped}." if asked.stopped else ""
    trained = f"{running} of its trials {'is' if running == 1 else 'are'} not over"
    return f"This search can go on: {trained}.{why}" if running else "This search is not over."


def _facts(records: Sequence[TrialRecord], answer: SearchAnswer) -> list[tuple[str, str]]:
    digits, searched = answer.asked.digits, of_role(records, "searched")
    facts = []
    for what, record in (("best", answer.best), ("baseline", answer.baseline)):
        if record is not None:
            label = f"{answer.asked.objective}, {what} (trial {record.number})"
            fresh = answer.confirmed(record)
            # The score that chose it is too high, and may stand against the headline.
            shown = record.score if fresh is None else fresh.mean
            label += "" if fresh is None else ", fresh seeds"
            facts.append((label, signed(shown or 0.0, digits)))
    if answer.asked.against:
        facts.append(("candidates on the front", f"{len(answer.front):,}"))
    scored = "with a score" if answer.asked.screened else "trained to the end"
    facts.append((f"candidates {scored}", f"{len(answer.entries):,}"))
    facts.append(("candidates begun", f"{len(searched):,}"))
    refused = sum(answer.asked.refused.values())
    if refused:
        facts.append(("refused without training", f"{refused:,}"))
    facts.append(("of training", duration(sum(each.seconds for each in records))))
    return facts


def _rivals(answer: SearchAnswer, entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Best and baseline side by side, each with its picture in full."""
    known = {each["target"]: each for each in entries}
    pairs = [("The best of the search", answer.best), ("The baseline", answer.baseline)]
    return [
        known[target(record)] | {"heading": heading, "picture": _picture(record)}
        for heading, record in pairs
        if record is not None
    ]


def _picture(record: TrialRecord) -> str | None:
    """The network as `gridgen render` draws it, where a program for that is installed."""
    try:
        return embedded(draw(build_grid(record.candidate.network)).render("svg"))
    except RenderError:
        return None


def _importances(answer: SearchAnswer) -> dict[str, Any]:
    """Shares of the fields as bars, or why there are none."""
    found, many = importances(answer.entries), len(answer.entries)
    if found:
        best = round(best_share(many) * many)
        note = (
            f"How much a field decides whether a candidate is among the best {best} of {many} "
            "(PED-ANOVA; the shares add up to 1)."
        )
    elif many < LEAST_TRIALS:
        note = f"Too few candidates to tell: {many} were trained to the end, {LEAST_TRIALS} needed."
    else:
        note = "No field varies among the candidates that were trained, or no score does."
    rows = [["field", "share"], *([name, f"{share:.2f}"] for name, share in found.items())]
    highest = max(found.values(), default=1.0) or 1.0
    bars = [f"{100 * share / highest:.1f}" for share in found.values()]
    return {"note": note, "rows": rows if found else [], "bars": bars}


def _refused(asked: Asked) -> list[list[str]]:
    """Reasons and their numbers, the most frequent first."""
    if not asked.refused:
        return []
    found = Counter(asked.refused).most_common()
    return [["reason", "candidates"], *([reason, f"{many:,}"] for reason, many in found)]


def _failures(records: Sequence[TrialRecord]) -> list[dict[str, str]]:
    """The trials that failed or do not fit, with the cause."""
    lost = (each for each in records if each.state in ("failed", "infeasible"))
    return [
        {
            "target": target(each),
            "number": str(each.number),
            "state": each.state,
            "reason": each.reason or "no cause was told",
        }
        for each in lost
    ]


def _durations(records: Sequence[TrialRecord]) -> list[list[str]]:
    """How long the trainings of each role and state took."""
    rows = [["trials", "number", "trainings", "together", "longest training"]]
    for role in ROLES:
        for state in STATES:
            found = [each for each in of_role(records, role) if each.state == state]
            seconds = [done.seconds for each in found for done in each.trainings]
            if seconds:
                told = [str(len(found)), str(len(seconds))]
                times = [duration(sum(seconds)), duration(max(seconds))]
                rows.append([f"{role}, {state}", *told, *times])
    return rows


def _table(records: Sequence[TrialRecord], asked: Asked) -> list[dict[str, Any]]:
    """All trials: the best first, then those without a score, then confirmations."""
    done = [each for each in ranked(records) if each.role != "confirmation"]
    again = of_role(records, "confirmation")
    return [
        {
            "target": target(each),
            "number": each.number,
            "name": each.candidate.name,
            "role": role_text(each),
            "state": each.state,
            "score": brief_score(each, asked.digits),
            "parameters": counted(each.candidate.costs.get("parameters")),
            "time": duration(each.seconds) if each.trainings else "",
        }
        for each in [*done, *(each for each in records if each not in [*done, *again]), *again]
    ]


def _asked(asked: Asked) -> list[tuple[str, str]]:
    """What the study asked for."""
    limits = (
        f"{name.replace('_', ' ')} {cost_text(name, value)}" for name, value in asked.limits.items()
    )
    told = [
        ("objective", asked.objective),
        (
            "against",
            ", ".join(f"{objective_title(n)} ({way}d)" for n, way in asked.against.items()),
        ),
        ("data", asked.data),
        ("budget", ", ".join(limits) or "none"),
        ("seeds", ", ".join(map(str, asked.seeds))),
        *asked.about,
        ("ended", asked.stopped),
    ]
    return [(label, value) for label, value in told if value]
