"""Loads cells, sample sums and verdicts from the store and passes them to the pure modules of ranking."""
