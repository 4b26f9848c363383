"""Sums over verdicts, by cell and by sample."""
