"""Turns verdicts into boards: scores, how sure they are, and ranks.

It reads batches of verdicts from the queue, and cells, verdicts, completions and runs from the store. It writes each verdict
with the sums it adds to, and signals that a run has moved.
"""
