"""Reads which option of a multiple-choice question an answer names."""
