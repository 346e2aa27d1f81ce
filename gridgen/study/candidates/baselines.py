"""What the best of a search is held against: networks that anyone would have taken."""

from collections.abc import Callable, Iterator
from random import Random

from gridgen.errors import SpecError
from gridgen.space.matching import matched, widest
from gridgen.spec import GridSpec
from gridgen.spec.network import merged
from gridgen.study.candidates.branches import branches
from gridgen.study.candidates.counting import counted_network
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.language.dimensions import combinations
from gridgen.study.language.study import Study
from gridgen.study.trials import Candidate

SHAPE = ("streams", "columns")
UNET, RANDOM = "unet", "random"


def widest_unet(study: Study) -> Candidate | str:
    """The U-Net within the budget that has most parameters, of the shapes that vary.

    Under `match` it has the cost that all candidates have. Without any limit it has the greatest
    width that varies. Where there is none, the reason is returned.
    """
    found, reason = [], "no candidate is a grid of the paper's family"
    for shape in _shapes(study):
        try:
            spec = _widened(study, shape)
        except SpecError as error:
            reason = str(error).splitlines()[0]
            continue
        words = f"U-Net, {spec.shape}"
        candidate, refusal = counted_network(study, words, spec)
        if refusal:
            reason = refusal
        else:
            found.append(candidate)
    if not found:
        return f"no U-Net of its shapes meets the budget: {reason}"
    return max(found, key=lambda each: each.costs["parameters"])


def _shapes(study: Study) -> Iterator[GridSpec]:
    """A U-Net of every number of streams and columns, all else as the first candidate has it."""
    for branch in branches(study):
        if "architecture" in branch.shared:
            continue
        first = {each.name: each.value(each.ends()[0][1]) for each in branch.of_spec}
        varied = {each.name: each for each in branch.of_spec if each.name in SHAPE}
        for labels in combinations(varied.values()):
            shape = {name: varied[name].value(label) for name, label in labels.items()}
            try:
                yield GridSpec(**merged(branch.shared, {**first, **shape, "topology": UNET}))
            except SpecError:
                continue


def _widened(study: Study, spec: GridSpec) -> GridSpec:
    if study.match is not None:
        return matched(spec, study.matching(study.match))
    if study.supernet is not None:
        return _widest_that_varies(study, spec)
    if study.limits.limits():
        return widest(spec, study.limits)
    # Without a limit the widest would be as wide as channels may be.
    varied = study.dimensions.named.get("base_channels")
    widths = [int(str(value)) for _, value in varied.ends()] if varied else []
    return spec.but(base_channels=max(widths)) if widths else spec


def _widest_that_varies(study: Study, spec: GridSpec) -> GridSpec:
    """The widest of the study's own widths within the budget: others were not trained.

    Errors: `SpecError` where none is.
    """
    varied = study.dimensions.named.get("base_channels")
    widths = [int(str(each)) for each in varied.labels()] if varied else [spec.base_channels or 0]
    specs = [spec.but(base_channels=width) for width in sorted(widths, reverse=True) if width]
    for each in specs or [spec]:
        if all(verdict.within for verdict in study.limits.verdict(each)):
            return each
    raise SpecError("no width that varies is within the budget", ("budget",))


FOUND: dict[str, Callable[[Study], Candidate | str]] = {UNET: widest_unet}
"""Baselines that are one network; `random` are as many candidates as were searched."""


def at_random(drawing: Drawing, many: int) -> Iterator[Candidate]:
    """So many different candidates drawn at random, or fewer; they follow from the study's seed."""
    known: set[str] = set()
    for number in range(many):
        random = Random(f"baseline {drawing.study.seed} {number}")
        found = drawing.draw(random, known.__contains__)
        if found is not None:
            known.add(found.key)
            yield found


def baseline_keys(drawing: Drawing, many: int) -> set[str]:
    """The keys of all networks that the baselines of a study with so many trials may be."""
    study = drawing.study
    found = [FOUND[name](study) for name in study.baselines if name in FOUND]
    drawn = at_random(drawing, many) if RANDOM in study.baselines else ()
    return {each.key for each in (*found, *drawn) if isinstance(each, Candidate)}
