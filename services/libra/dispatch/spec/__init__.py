"""Checks a requested run against the registered models, tasks, attacks and judges, and fills in its defaults.

Pure: it reads what its caller loaded and writes nothing.
"""
