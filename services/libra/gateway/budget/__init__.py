"""Reserves each request of a run with a budget or to a model with a ceiling, and settles it after its answer."""
