"""Pictures of a training: curves, predictions beside the truth, colours of classes."""
