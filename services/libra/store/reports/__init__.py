"""Readers of verdicts for reports on attacks: what they did to each sample, and what they cost."""
