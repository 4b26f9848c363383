"""Compares two models, or two runs of one model, on the samples for which both have scores.

It is pure: `libra.ranking.queries` loads its inputs from the store.
"""
