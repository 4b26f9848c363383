"""Judges that are rules: they look at one answer at a time and ask no model."""
