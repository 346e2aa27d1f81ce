"""The four scores of the Cityscapes benchmark: our own, and those of its official script."""
