"""Formats the decision of a gate for people, for pull requests and for pipelines."""
