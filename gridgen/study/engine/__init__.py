"""Engines, which run the trainings that the driver of a search submits."""
