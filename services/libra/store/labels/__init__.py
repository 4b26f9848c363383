"""Judgements of people on answers and judges: labels, annotations and calibrations."""
