"""The training loop, from a grid, a dataset and a recipe to a run folder, and who watches it."""
