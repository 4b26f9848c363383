"""Draws answers for people to label, and imports their labels.

`libra.ranking.board.label_correction` corrects scores by them.
"""
