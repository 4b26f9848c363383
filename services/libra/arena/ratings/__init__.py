"""Ratings of models from votes, kept in memory: points at once, intervals in the background."""
