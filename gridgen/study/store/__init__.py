"""The study on disk: its trials in SQLite or a journal file, checked, repaired, and in tables."""

from gridgen.study.store.opening import locked_study
from gridgen.study.store.store import Store, open_store, read_store
