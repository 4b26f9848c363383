"""Registered models as text."""
