"""Prepares runs for the pages: their state, progress, rate and time left."""
