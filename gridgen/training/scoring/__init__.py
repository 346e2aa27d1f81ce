"""Scores and predictions of a trained network: of a split, of each image, and as tables."""
