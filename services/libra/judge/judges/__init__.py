"""The judges: `rules` ask no model, `model` asks one, and `composite` judges use the others.

`libra.judge.registry` lists them all.
"""
