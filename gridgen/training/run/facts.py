"""The file run.json: data, seed, device and circumstances in which a training was begun."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from gridgen.data.folder import is_name
from gridgen.data.labelled import absent_classes
from gridgen.data.subsets import FoldField
from gridgen.errors import RunError, SpecError, reason_of, unknown
from gridgen.files import read_text, write_file
from gridgen.images.scale import ScaleFields
from gridgen.training.tasks import TASKS

MAX_SEED = 2**31 - 1
Byte = Annotated[int, Field(ge=0, le=255)]
ColourField = Annotated[tuple[Byte, Byte, Byte], Field(strict=False)]
ColoursField = Annotated[tuple[ColourField, ...], Field(strict=False)]
PixelCount = Annotated[int, Field(ge=0)]
PixelCounts = Annotated[tuple[PixelCount, ...], Field(strict=False)]
Weight = Annotated[float, Field(ge=0)]


def _apart(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names are shown on terminals and go into weights files. Errors: `SpecError`."""
    for index, name in enumerate(names):
        if not is_name(name):
            raise SpecError(f"{name[:40]!r} is not a printable name", ("classes", index))
        if name in names[:index]:
            raise SpecError(f"{name!r} is given twice", ("classes", index))
    return names


def _task(name: str) -> str:
    if name not in TASKS:
        raise ValueError(unknown("task", name, TASKS))
    return name


TaskName = Annotated[str, AfterValidator(_task)]
ClassNames = Annotated[tuple[str, ...], Field(strict=False), AfterValidator(_apart)]


class Facts(ScaleFields):
    """Facts on the beginning of a run, beside spec and recipe, on disk as JSON.

    An unknown field is refused: whoever wrote it may mean it to change how the run goes on.

    >>> facts = Facts(
    ...     data="streets", seed=0, device="cpu", classes=["sky"], colours=[[0, 0, 255]]
    ... )
    >>> facts.classes, facts.holdout
    (('sky',), None)
    """

    kind: ClassVar[str] = "run"

    data: str = Field(min_length=1, description="Name of the dataset, or its folder.")
    task: TaskName | None = Field(
        default=None, description="What is learnt; older runs leave it to the classes."
    )
    holdout: str | None = Field(
        default=None, min_length=1, description="Training images that are scored instead, by name."
    )
    fold: FoldField | None = Field(
        default=None, description="Part of train that is scored as val, such as 2/5."
    )
    group: str | None = Field(
        default=None, description="Regular expression; names it groups are in one fold."
    )
    fold_names: str | None = Field(
        default=None, description="SHA-256 of the names of the images of the fold."
    )
    seed: int = Field(ge=0, le=MAX_SEED, description="What all that is random follows from.")
    init: str | None = Field(
        default=None, min_length=1, description="File of the weights that it began with."
    )
    device: str = Field(description="Device that was asked for, such as auto.")
    classes: ClassNames = Field(description="In the order of their ids; none for images.")
    colours: ColoursField = Field(description="Red, green and blue of each class.")
    images: str | None = Field(
        default=None, description="SHA-256 of names and sizes of all images of train and val."
    )
    labels: str | None = Field(
        default=None, description="SHA-256 of what the numbers in label files mean."
    )
    label_files: str | None = Field(
        default=None, description="SHA-256 of the contents of all label files of train and val."
    )
    pixels: dict[str, PixelCounts] | None = Field(
        default=None, description="Labelled pixels of each class, of the splits that were counted."
    )
    class_weights: Annotated[tuple[Weight, ...], Field(strict=False)] | None = Field(
        default=None, description="What each class weighs in the loss."
    )
    torch: str | None = Field(default=None, description="Version.")
    python: str | None = Field(default=None, description="Version.")
    platform: str | None = Field(default=None, description="Operating system.")
    machine: str | None = Field(default=None, description="What the device is.")
    processes: int | None = Field(default=None, ge=1, description="How many trained together.")
    begun: str | None = Field(default=None, description="Date and time, UTC.")
    command: Annotated[tuple[str, ...], Field(strict=False)] | None = Field(
        default=None, description="The command line, or the program that trained."
    )

    @model_validator(mode="after")
    def _of_each_class(self) -> Self:
        of_each: list[tuple[tuple[str, ...], Sequence[object] | None]] = [
            (("colours",), self.colours),
            (("class_weights",), self.class_weights),
            *((("pixels", split), values) for split, values in (self.pixels or {}).items()),
        ]
        for field, values in of_each:
            if values is not None and len(values) != len(self.classes):
                fact = f"{len(values)} values, but {len(self.classes)} classes"
                raise SpecError(fact, field)
        return self

    @property
    def data_digests(self) -> dict[str, str]:
        """Those of images and labels that are known: equal ones stand for the same data."""
        digests = {"images": self.images, "labels": self.labels, "label_files": self.label_files}
        return {name: digest for name, digest in digests.items() if digest is not None}

    @property
    def absent(self) -> list[str]:
        """The classes that no pixel of a split is of, a line for each split that lacks some."""
        counted = (self.pixels or {}).items()
        lines = (absent_classes(split, self.classes, pixels) for split, pixels in counted)
        return [line for line in lines if line]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The facts in the file at `path`. Errors: `RunError`, one line with file and field."""
        data = _json(path)
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            said = cls._explain(error, data).splitlines()[0].removeprefix(f"{cls.kind}: ")
        except SpecError as error:
            said = f"{'.'.join(map(str, error.field))}: {error}"
        raise RunError(f"{path}: {said}")

    def write(self, path: Path) -> None:
        """Write the file that `read` reads. Errors: `FileError`."""
        write_file(path, json.dumps(self.complete(), indent=2) + "\n")


def _json(path: Path) -> dict[str, Any]:
    """The fields in a file. Errors: `RunError`."""
    try:
        data = json.loads(read_text(path))
    except OSError as error:
        raise RunError(f"{path}: {reason_of(error)}") from error
    # Bytes that are no UTF-8 are a ValueError, and nesting that is too deep a RecursionError.
    except (ValueError, RecursionError) as error:
        place = ""
        if isinstance(error, json.JSONDecodeError):
            place = f":{error.lineno}:{error.colno}"
        raise RunError(f"{path}{place}: not JSON; put it back, or train anew") from error
    if not isinstance(data, dict):
        raise RunError(f"{path}: the file has no fields; train anew")
    return data
