"""A study on disk: its trials in a database that others can look at, and in tables."""
