"""The folder of a training: facts, losses, checkpoints, weights; and opening what it trained."""
