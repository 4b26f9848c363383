"""Finds verdicts for people: lists and single ones, by their fields and by text, and failures by reason.

A reply about a sealed sample passes `completed_verdicts.redact_sealed`, and no text of it can be searched.
"""
