"""Tables of calibrations and of drift."""
