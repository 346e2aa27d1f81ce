"""Whether a spec and a dataset belong together."""

from gridgen.data import Dataset
from gridgen.errors import SpecError
from gridgen.spec import GridSpec


def require_fit(spec: GridSpec, dataset: Dataset) -> None:
    """The spec's classes and in_channels are the dataset's, or a `SpecError` at its line."""
    wanted = {"classes": len(dataset.classes), "in_channels": dataset.channels}
    for field, value in wanted.items():
        given = getattr(spec, field)
        if given != value:
            said = given if field in spec.model_fields_set else f"{field} is {given} by default"
            fact = f"{said}, but the data {dataset.name} has {value}; set {field}: {value}"
            raise spec.blame(SpecError(fact, (field,)))
