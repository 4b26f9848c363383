"""Measure judges on labelled answers: against people, by group, against themselves, and against an earlier time."""
