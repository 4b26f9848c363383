"""Compares two models, or two runs of one model, on the samples that both have scores for.

Pure: `ranking.queries` loads what it reads.
"""
