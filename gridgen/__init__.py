"""Explore grid-shaped networks for dense prediction."""
