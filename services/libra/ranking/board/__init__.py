"""Computes the leaderboard from cells: selection, scores, judge correction, ranks, weight sweep and notes.

It is pure: `libra.ranking.queries` loads its inputs from the store.
"""
