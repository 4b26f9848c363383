"""Judges that are rules: they judge one answer at a time and ask no model."""
