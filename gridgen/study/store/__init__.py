"""The study on disk: its trials in SQLite or a journal file, checked, repaired, and in tables."""

from gridgen.study.store.opening import open_store as open_store, read_store as read_store
from gridgen.study.store.repairing import repair_study as repair_study, retry_study as retry_study
from gridgen.study.store.storages import locked_study as locked_study
from gridgen.study.store.store import Store as Store
