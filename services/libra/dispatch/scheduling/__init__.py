"""Turns a run into batches and paces them: expansion, send window, sweep, stall detection.

It reads runs, samples and verdict counts from the store and publishes batches of trials.
"""
