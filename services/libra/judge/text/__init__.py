"""Reads final answers from free text: numbers, choices, yes or no, leaked secrets.

Pure functions on strings.
"""
