"""Intervals, ranks, tests, agreement: pure functions on arrays and plain numbers.

The package performs no input or output. The ranking and judge services call it, and it alone imports NumPy and SciPy.
"""
