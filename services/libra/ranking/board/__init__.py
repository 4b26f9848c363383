"""Computes the leaderboard from cells: selection, scores, standings, weight sweep, notes.

Pure: `ranking.queries` loads what it reads.
"""
