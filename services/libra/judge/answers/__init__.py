"""Reads final answers: a choice, a number, yes or no, a stance.

`cleaning` undoes markup, `data/` holds the words of each language, `statements` tells which options a text asserts and
which it denies, and the other modules read one kind of answer each.
"""
