"""By what a run knows its data again, so that it goes on with no other."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from gridgen.data.dataset import Dataset, OnDisk, label_rules, label_sources
from gridgen.errors import DataError, reason_of
from gridgen.files import sha256, sha256_of_file
from gridgen.training.tasks.requirements import Splits


@dataclass(frozen=True)
class Fingerprint:
    """Each is a SHA-256; the pixels of images have no part in it, unless labels depend on them."""

    images: str
    """Of names and sizes of all images: other ones are another order of steps."""
    labels: str
    """Of what the numbers in label files mean."""
    label_files: str
    """Of what label files hold, wherever they lie and whenever they were written."""


def fingerprint(splits: Splits) -> Fingerprint:
    """That of the images and labels of all splits; label files are read. Errors: `DataError`."""
    parts = [part for part in splits if part is not None]
    held = [list(zip(part.names, part.sizes, strict=True)) for part in parts]
    return Fingerprint(
        images=sha256(json.dumps(held).encode()),
        labels=sha256(label_rules(splits.train).encode()),
        label_files=sha256("".join(_contents(parts)).encode()),
    )


def _contents(parts: Iterable[Dataset]) -> Iterable[str]:
    """The digest of each file, in the order of the samples: names are in that of the images."""
    for part in parts:
        for path in label_sources(part) if isinstance(part, OnDisk) else ():
            try:
                yield sha256_of_file(path)
            except OSError as error:
                raise DataError(f"{path}: {reason_of(error)}") from error
