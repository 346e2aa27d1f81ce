"""Proposing candidates: Optuna's samplers and pruners over what is known in memory."""
