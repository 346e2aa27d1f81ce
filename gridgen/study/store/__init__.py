"""The study on disk: its trials in SQLite or a journal file, checked, repaired, and in tables."""

from gridgen.study.store.opening import open_store, read_store
from gridgen.study.store.repairing import repair_study, retry_study
from gridgen.study.store.storages import locked_study
from gridgen.study.store.store import Store
