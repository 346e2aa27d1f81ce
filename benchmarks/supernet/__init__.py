"""Supernets on the task of the topology benchmark: what makes them better, and what they give."""
