"""Evaluate language models for safety and capability at once, and rank them by their distance to the optimum."""
