"""What is done with numbers: intervals, clusters, ranks, tests, agreement. Pure functions on arrays and plain numbers.

It reads nothing and writes nothing; ranking and judge ask it. The only room that knows NumPy and SciPy.
"""
