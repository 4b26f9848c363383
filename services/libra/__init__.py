"""Libra evaluates language models for safety and capability at once, and ranks them by their distance to the optimum."""
