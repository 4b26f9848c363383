"""Rounds: draw and seal samples, publish their commitment, and release them when the round is closed."""
