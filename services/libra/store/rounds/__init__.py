"""Rounds: their secrets, which of their samples are published, and who looked at sealed ones."""
