"""Opening the store of a study, to write to it or to look at it."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gridgen.arguments import checked
from gridgen.errors import RunError
from gridgen.files import is_file, is_folder, read_text, sweep, write_file
from gridgen.study.store.identity import Identity
from gridgen.study.store.storages import (
    Opened,
    StorageKind,
    close,
    create,
    kind_in,
    kind_named,
    note_of,
    open_storage_of,
)
from gridgen.study.store.store import Store
from gridgen.training.run.folder import FACTS, STUDY


@checked
def open_store(
    folder: Path,
    text: str,
    digests: Mapping[str, Any],
    free: Collection[str] = (),
    wanted: str | None = None,
) -> Store:
    """The store in a study's folder, to write to; made if there is none, of the `wanted` kind.

    The caller holds the folder's lock. `text` is the study's file, as it is kept there; its fields
    may not change from one start to the next, but for those that are `free`, and neither may what
    `digests` tell of. Errors: `RunError` for another study's folder and for what is damaged.
    """
    identity = Identity(text, digests, free)
    found = require_ours(folder, identity, wanted)
    if found is None:
        found = kind_named(wanted or "sqlite")
        create(folder / found.file, found, note_of(identity), wanted or "")
    sweep(folder)
    found.mend(folder / found.file)
    opened = open_storage_of(folder, found)
    with closed_on_error(opened):
        store = Store(folder, found, opened)
        store.hold()
        kept = Identity(store.text, {})
        identity.require(folder, kept.fields, store.digests)
        store.settle(identity)
    if not is_file(folder / STUDY) or read_text(folder / STUDY) != text:
        write_file(folder / STUDY, text)
    return store


def require_ours(folder: Path, identity: Identity, wanted: str | None = None) -> StorageKind | None:
    """How trials are stored in a folder, None where none are yet; reads its study.yaml alone.

    Errors: `RunError` for another study's folder, and for trials that are stored in another way.
    """
    found = kind_in(folder, wanted)
    if found is None and is_file(folder / FACTS):
        raise RunError(f"{folder} holds a training, and no search; name another folder")
    if found is None and is_folder(folder / "train"):
        raise RunError(f"{folder} holds the images of a dataset; name another folder")
    identity.require_file(folder)
    return found


@contextmanager
def closed_on_error(opened: Opened) -> Iterator[None]:
    """Let go of a storage of which no store is made, so that no connection or lock stays."""
    try:
        yield
    except BaseException:
        close(opened.storage)
        raise


@checked
def read_store(folder: Path) -> Store:
    """The store of a study that was begun, to look at while others may write to it.

    Errors: `RunError` where there is none, or it is damaged.
    """
    found = kind_in(folder)
    if found is None:
        raise RunError(f"{folder}: no study there; gridgen search STUDY -o {folder} begins one")
    opened = open_storage_of(folder, found)
    with closed_on_error(opened):
        return Store(folder, found, opened)
