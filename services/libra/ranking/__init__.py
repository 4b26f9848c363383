"""Ranking: turns verdicts into leaderboards with scores, standard errors and rank intervals, and audits runs.

It reads batches of verdicts from the queue, and cells, verdicts, completions and runs from the store. It writes each
verdict together with the sums of its cell, and signals that its run has changed.
"""
