"""Reads answers in free text: final numbers, choices, yes or no, and leaked secrets.

Pure functions on strings; they read and write nothing else.
"""
